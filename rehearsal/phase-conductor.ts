import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase } from '../lambda/contract/environment.ts';
import type { FlushProgress } from '../lambda/flush/flush.ts';
import { GATE, judge } from '../lambda/rollout/gates.ts';
import type { BackfillReport } from '../lambda/stores/backfill/backfill.ts';
import type { BackfillTarget } from '../lambda/stores/backfill/plan.ts';
import type { DatabaseProbe } from './database-probe.ts';
import type { Fallbacks, FallbackWatch } from './fallback-watch.ts';
import { AFTER_SHARE } from './options.ts';
import { type PhaseStep, STEPS_FORWARD, stepsBackFrom } from './phase-steps.ts';
import type { Rate, Recorder } from './recorder.ts';
import type { StepReport } from './step-report.ts';

/** What a conductor of phases tells while it works. */
export type PhaseEvent =
  | { readonly kind: 'step'; readonly step: PhaseStep }
  | {
      readonly kind: 'carried';
      readonly carried: NonNullable<StepReport['carried']>;
    }
  | { readonly kind: 'together'; readonly from: Phase; readonly to: Phase; readonly seconds: number }
  | { readonly kind: 'shifted'; readonly phase: Phase }
  | { readonly kind: 'cleaned'; readonly report: FlushProgress }
  | { readonly kind: 'step judged'; readonly step: StepReport };

/** What was found wrong so far. */
export type Faults = Pick<StepReport, 'staleReads' | 'lostSessions' | 'resurrectedSessions'>;

export interface PhaseConductorOptions {
  /** How long each step takes. */
  readonly stepSeconds: number;
  /** How long both parts of a step take at the least, however long its processes took to start. Default: 1. */
  readonly leastSeconds?: number;
  readonly recorder: Recorder;
  readonly probe: DatabaseProbe;
  /** Starts both backends in another phase, the rights of the users first, and has them share the traffic with those of the old one. */
  readonly beginShift: (phase: Phase) => Promise<void>;
  /** Gives all the traffic to the new ones, and ends the old. */
  readonly endShift: () => Promise<void>;
  /** One pass of a backfill in this phase. @returns how many keys it carried, and how long it took. */
  readonly carry: (to: BackfillTarget, phase: Phase) => Promise<Pick<BackfillReport, 'carried' | 'seconds'>>;
  readonly flush: (what: NonNullable<PhaseStep['flushes']>) => Promise<FlushProgress>;
  /** Looks for the seeded state in its homes. */
  readonly checkState: (homes: 'legacy' | 'both') => Promise<{ checked: number; lost: number }>;
  readonly watchFallbacks: () => Promise<FallbackWatch>;
  readonly faults: () => Faults;
  readonly signal: AbortSignal;
  readonly onEvent: (event: PhaseEvent) => void;
}

/** Over how many reads the lowest hit rate is looked for. */
const TRAILING_READS = 50;
const LOOK_EVERY_MS = 50;
/** The share of a step in which both phases run, of what is left of it when their processes have started. */
const TOGETHER_SHARE = 0.4;
const LEAST_SECONDS = 1;
/**
 * A legacy backend that still answers still fills un-prefixed keys: after each write it is now and then the first to read. What is
 * above that would be missed in the next phase.
 */
export const MAX_FALLBACK_SHARE = 0.05;

/**
 * Goes through the phases as the runbook says: the new phase beside the old one for a while, then everywhere, backfill before what
 * takes a home away; and all the way back. A step that fails is the last one forward.
 * @returns a report for each step that was begun.
 */
export async function conductPhases(options: PhaseConductorOptions): Promise<StepReport[]> {
  const state: State = { phase: 'legacy', hasCarried: false, watch: undefined };
  const reports: StepReport[] = [];
  try {
    for (const step of STEPS_FORWARD) {
      const report = await runStep(step, state, options);
      reports.push(report);
      if (report.gate === 'fail') break;
    }
    for (const step of stepsBackFrom(state.phase)) reports.push(await runStep(step, state, options));
  } finally {
    await state.watch?.stop();
  }
  return reports;
}

interface State {
  phase: Phase;
  hasCarried: boolean;
  watch: FallbackWatch | undefined;
}

async function runStep(step: PhaseStep, state: State, options: PhaseConductorOptions): Promise<StepReport> {
  const { recorder, flush, faults, onEvent, stepSeconds } = options;
  const from = state.phase;
  const end = performance.now() + stepSeconds * 1000;
  const [before, atBegin] = [faults(), recorder.mark()];
  onEvent({ kind: 'step', step });

  const carried = step.carries ? await carryTwice(step.carries, from, options) : null;
  if (carried) onEvent({ kind: 'carried', carried });
  state.hasCarried ||= carried?.to === 'prefixed';
  const together = step.phase === from ? null : await shift(step.phase, state, { ...options, end });
  const flushed = step.flushes ? await flush(step.flushes) : undefined;
  if (flushed) onEvent({ kind: 'cleaned', report: flushed });
  const { reads, hits, ...observed } = await observe(state.watch, { ...options, end });

  const checked = await options.checkState(state.hasCarried && step.phase !== 'legacy' ? 'both' : 'legacy');
  const [found, now] = [faults(), recorder.mark()];
  const [requests, errors5xx] = [now.requests - atBegin.requests, now.errors - atBegin.errors];
  const reasons = [
    ...judge({ requests, errors: errors5xx, hitP95Ms: observed.p95Ms.serverless ?? undefined, reads, hits }),
    ...(step.isLastLook ? judgeFallbacks(observed.legacyFallbacks) : []),
    ...(checked.lost > 0
      ? [`${checked.lost} of ${checked.checked} keys of state are not where ${step.phase} reads`]
      : []),
  ];
  const report: StepReport = {
    step: step.name,
    phases: [from, step.phase],
    together,
    carried,
    flush: flushed
      ? { deleted: flushed.flushed, preserved: flushed.preserved, seconds: flushed.seconds }
      : null,
    ...{ requests, errors5xx },
    staleReads: found.staleReads - before.staleReads,
    lostSessions: found.lostSessions - before.lostSessions,
    resurrectedSessions: found.resurrectedSessions - before.resurrectedSessions,
    ...observed,
    state: checked,
    gate: reasons.length === 0 ? 'pass' : 'fail',
    reasons,
  };
  onEvent({ kind: 'step judged', step: report });
  return report;
}

type Observed = Pick<StepReport, 'hitRate' | 'legacyFallbacks' | 'p95Ms' | 'databaseP95Ms'> & Rate;

/** Looks on until the step is over, and judges its end: that processes start, and caches fill, on the same machine is no part of it. */
async function observe(
  watch: FallbackWatch | undefined,
  options: PhaseConductorOptions & { readonly end: number },
): Promise<Observed> {
  const { recorder, probe, signal, stepSeconds, leastSeconds = LEAST_SECONDS, end } = options;
  const begin = recorder.mark();
  const until = Math.max(end, performance.now() + leastSeconds * 1000);
  const afterBegin = Math.max(performance.now(), until - stepSeconds * 1000 * AFTER_SHARE);
  let lowest: number | null = null;
  let isAfter = false;
  while (performance.now() < until) {
    await sleep(Math.max(1, Math.min(LOOK_EVERY_MS, until - performance.now())), undefined, { signal });
    const rate = recorder.trailingRate(TRAILING_READS, begin);
    if (rate !== undefined) lowest = Math.min(lowest ?? 1, round(rate));
    if (isAfter || performance.now() < afterBegin) continue;
    isAfter = true;
    recorder.restartLatencies();
    probe.takeP95Ms();
    watch?.take();
  }
  signal.throwIfAborted();
  const after = recorder.rateSince(afterBegin, { atLeast: GATE.minReads, since: begin });
  const { express = null, serverless = null } = recorder.hitP95Ms();
  return {
    ...after,
    hitRate: { lowest, after: after.reads === 0 ? null : round(after.hits / after.reads) },
    legacyFallbacks: watch?.take() ?? null,
    p95Ms: { express, serverless },
    databaseP95Ms: probe.takeP95Ms() ?? null,
  };
}

/** Both phases at once for a while, then the new one alone. */
async function shift(
  to: Phase,
  state: State,
  options: PhaseConductorOptions & { readonly end: number },
): Promise<NonNullable<StepReport['together']>> {
  const { recorder, signal, onEvent, leastSeconds = LEAST_SECONDS, end } = options;
  const { watch } = state;
  state.watch = undefined;
  await watch?.stop();
  await options.beginShift(to);
  const leftSeconds = Math.max(0, end - performance.now()) / 1000;
  const seconds = Math.max(leastSeconds, leftSeconds * TOGETHER_SHARE);
  onEvent({ kind: 'together', from: state.phase, to, seconds });
  const before = recorder.mark();
  await sleep(seconds * 1000, undefined, { signal });
  const { requests } = recorder.mark();
  await options.endShift();
  state.phase = to;
  onEvent({ kind: 'shifted', phase: to });
  if (to === 'dual') state.watch = await options.watchFallbacks();
  return { seconds: round(seconds), requests: requests - before.requests };
}

/** The second time there is as good as nothing left. */
async function carryTwice(
  to: BackfillTarget,
  phase: Phase,
  { carry }: Pick<PhaseConductorOptions, 'carry'>,
): Promise<NonNullable<StepReport['carried']>> {
  const first = await carry(to, phase);
  const again = await carry(to, phase);
  return { to, keys: first.carried, again: again.carried, seconds: first.seconds };
}

function judgeFallbacks(seen: Fallbacks | null): string[] {
  const { reads, fallbacks } = seen ?? { reads: 0, fallbacks: 0 };
  if (reads === 0) return ['nobody has looked for reads that only an un-prefixed key can answer'];
  if (fallbacks / reads <= MAX_FALLBACK_SHARE) return [];
  return [
    `${fallbacks} of ${reads} reads in dual were answered by an un-prefixed key, which is not about 0: more than ${MAX_FALLBACK_SHARE * 100} %`,
  ];
}

const round = (value: number) => Math.round(value * 1000) / 1000;
