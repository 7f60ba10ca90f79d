import { setTimeout as sleep } from 'node:timers/promises';
import type { FlushProgress } from '../lambda/flush/flush.ts';
import { GATE, judge } from '../lambda/rollout/gates.ts';
import type { DatabaseProbe } from './database-probe.ts';
import { AFTER_SHARE, LONGEST_WAIT_SECONDS, WAIT_SHARE } from './options.ts';
import type { Rate, Recorder } from './recorder.ts';
import type { StageReport } from './report.ts';

/** What a conductor tells while it works. */
export type StageEvent =
  | { readonly kind: 'flushed'; readonly weightPercent: number; readonly report: FlushProgress }
  | { readonly kind: 'waiting'; readonly seconds: number }
  | { readonly kind: 'weight'; readonly from: number; readonly to: number }
  | {
      readonly kind: 'judged';
      readonly stage: StageReport;
      readonly requests: number;
      readonly reads: number;
    }
  | { readonly kind: 'rolled back'; readonly report: FlushProgress };

export interface ConductorOptions {
  readonly stages: readonly { readonly weightPercent: number; readonly seconds: number }[];
  readonly router: { weightPercent: number };
  readonly recorder: Recorder;
  readonly probe: DatabaseProbe;
  /** Flushes the cache families; with a namespace, only there. */
  readonly flush: (onlyNamespace?: string) => Promise<FlushProgress>;
  /** Ends the rollout where it is: the promise rejects. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: StageEvent) => void;
}

/** Over how many reads a hit rate is followed while it falls and recovers. */
const TRAILING_READS = 50;
const LOOK_EVERY_MS = 50;

/**
 * Moves the traffic stage by stage, as the runbook says: flush, wait, advance the weight, observe, judge. A failed
 * gate sends all traffic back and ends the rollout.
 * @returns a report for each stage that was begun.
 */
export async function conduct(options: ConductorOptions): Promise<StageReport[]> {
  const reports: StageReport[] = [];
  for (const stage of options.stages) {
    const before = reports.at(-1);
    const report = await runStage(stage, { ...options, before });
    reports.push(report);
    if (report.gate === 'pass') continue;
    // The way back: no new serverless traffic first, then nothing of it left to be read later.
    options.router.weightPercent = 0;
    try {
      options.onEvent({ kind: 'rolled back', report: await options.flush('v2:') });
    } catch (error) {
      const why = `the flush of the way back failed: ${error instanceof Error ? error.message : error}`;
      reports.splice(-1, 1, { ...report, reasons: [...report.reasons, why] });
    }
    break;
  }
  return reports;
}

async function runStage(
  { weightPercent, seconds }: ConductorOptions['stages'][number],
  {
    router,
    recorder,
    probe,
    flush,
    signal,
    onEvent,
    before,
  }: ConductorOptions & { before: StageReport | undefined },
): Promise<StageReport> {
  const begin = performance.now();
  const databaseBefore = before?.databaseP95Ms.after ?? probe.takeP95Ms() ?? null;
  recorder.restartLatencies();
  const atFlush = recorder.mark();
  const flushed = await flush();
  onEvent({ kind: 'flushed', weightPercent, report: flushed });

  const waitSeconds = Math.min(seconds * WAIT_SHARE, LONGEST_WAIT_SECONDS);
  onEvent({ kind: 'waiting', seconds: waitSeconds });
  await sleep(waitSeconds * 1000, undefined, { signal });

  onEvent({ kind: 'weight', from: router.weightPercent, to: weightPercent });
  router.weightPercent = weightPercent;
  const advanced = performance.now();
  const atAdvance = recorder.mark();

  const end = begin + seconds * 1000;
  const afterBegin = end - seconds * 1000 * AFTER_SHARE;
  let lowest: number | null = null;
  let recoverySeconds: number | null = null;
  let databaseDuring: number | undefined;
  while (performance.now() < end) {
    await sleep(Math.max(1, Math.min(LOOK_EVERY_MS, end - performance.now())), undefined, { signal });
    const rate = recorder.trailingRate(TRAILING_READS, atFlush);
    if (rate !== undefined) lowest = Math.min(lowest ?? 1, round(rate));
    const recovered = recorder.trailingRate(TRAILING_READS, atAdvance);
    if (recovered !== undefined && recovered > GATE.minHitRate) {
      recoverySeconds ??= round((performance.now() - advanced) / 1000);
    }
    if (databaseDuring === undefined && performance.now() >= afterBegin) databaseDuring = probe.takeP95Ms();
  }
  // A stall may have used up the stage's time.
  signal.throwIfAborted();

  const now = recorder.mark();
  const after = recorder.rateSince(afterBegin, { atLeast: GATE.minReads, since: atAdvance });
  const hitP95Ms = recorder.hitP95Ms();
  const requests = now.requests - atFlush.requests;
  const reasons = judge({
    requests,
    errors: now.errors - atFlush.errors,
    hitP95Ms: hitP95Ms.serverless,
    ...after,
  });
  const stage: StageReport = {
    weightPercent,
    flush: { deleted: flushed.flushed, preserved: flushed.preserved, seconds: flushed.seconds },
    hitRate: { before: before?.hitRate.after ?? null, lowest, after: rateOf(after) },
    recoverySeconds,
    p95Ms: { express: hitP95Ms.express ?? null, serverless: hitP95Ms.serverless ?? null },
    databaseP95Ms: {
      before: databaseBefore,
      during: databaseDuring ?? null,
      after: probe.takeP95Ms() ?? null,
    },
    gate: reasons.length === 0 ? 'pass' : 'fail',
    reasons,
  };
  onEvent({ kind: 'judged', stage, requests, reads: after.reads });
  return stage;
}

const rateOf = ({ reads, hits }: Rate) => (reads === 0 ? null : round(hits / reads));
const round = (value: number) => Math.round(value * 1000) / 1000;
