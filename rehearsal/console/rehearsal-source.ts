import type { Checker } from '../checker.ts';
import { shownState } from '../machine/events.ts';
import type { RehearsalOptions } from '../options.ts';
import type { Observation, Recorder } from '../recorder.ts';
import type { Report } from '../report.ts';
import type { RolloutControl } from '../rollout/control.ts';
import type { SessionChecker } from '../session-checker.ts';
import { createTimeline } from '../timeline.ts';
import type { ConsoleSource, ConsoleState } from './contract.ts';
import { type ActionPorts, createActions } from './source/actions.ts';
import { ALARM_WINDOW_MS, alarmsOf } from './source/alarms.ts';
import { createJournal, type Entry } from './source/journal.ts';
import { FAULT_TEXTS, narrationOf, type RehearsalEvent } from './source/narration.ts';
import { createProgress } from './source/progress.ts';
import { safetyOf } from './source/safety.ts';
import { createSamples } from './source/samples.ts';

/** What the console is told of a rehearsal, and who tells it. */
export interface RehearsalSource extends ConsoleSource {
  observed(observation: Observation): void;
  fellBack(count: number): void;
  event(event: RehearsalEvent): void;
  log(entry: Entry): void;
  /** The dispatcher has told of a writer that does not invalidate. */
  uncovered(): void;
  control(control: RolloutControl): void;
  ended(report: Pick<Report, 'verdict' | 'reasons'>): void;
}

export interface RehearsalSourceOptions extends ActionPorts {
  readonly options: RehearsalOptions;
  readonly env: string;
  /** Before the first stage. */
  readonly baselineSeconds: number;
  readonly checker: Pick<Checker, 'summary' | 'explained'>;
  readonly sessionChecker: Pick<SessionChecker, 'summary'>;
  readonly recorder: Pick<Recorder, 'requests' | 'errors5xx'>;
  readonly router: { readonly weightPercent: number };
  /** Since the rehearsal began. */
  readonly connectionFailures: () => number;
}

/** Costs a timeline and some lines of log while nobody looks; all else is made when it is asked for. */
export function createRehearsalSource(sources: RehearsalSourceOptions): RehearsalSource {
  const { options, env, checker, sessionChecker, recorder, router, faults } = sources;
  const startedAt = Date.now();
  const timeline = createTimeline();
  const phase = options.migration === 'cw' ? 'legacy' : 'isolated';
  const samples = createSamples({ timeline, env, phase });
  const journal = createJournal();
  const progress = createProgress({ ...options, baselineSeconds: sources.baselineSeconds });
  let report: Pick<Report, 'verdict' | 'reasons'> | undefined;
  let machine: ConsoleState['machine'] = null;
  let isBack = false;
  let uncoveredAt: number | undefined;
  const actions = createActions({ ...sources, journal, progress, isOver: () => report !== undefined });
  const connectionFailures = recentOf(sources.connectionFailures);

  const statusOf = (): ConsoleState['status'] => {
    if (report) return report.verdict === 'pass' ? 'passed' : 'failed';
    return progress.isPaused ? 'paused' : 'running';
  };
  /** As a person calls it. */
  const named = <T extends { readonly name: string }>(of: T | undefined): T | undefined =>
    of && options.migration === 'cw' ? { ...of, name: `step ${of.name}` } : of;
  const backOf = () => (isBack ? 'done' : actions.isGoingBack ? 'asked for' : undefined);
  const faultOf = () =>
    faults?.current &&
    `${FAULT_TEXTS[faults.current.name].begun}, ${Math.max(0, Math.ceil((faults.current.endsAt - Date.now()) / 1000))} s left`;

  return {
    observed: timeline.record,
    fellBack: timeline.fellBack,
    log: journal.write,
    control: actions.control,
    uncovered() {
      uncoveredAt = Date.now();
    },
    event(event) {
      progress.event(event);
      const entry = narrationOf(event);
      if (entry) journal.write(entry);
      if (event.kind === 'shifted') samples.shifted(event.phase);
      if (event.kind === 'rolled back') isBack = true;
      if (event.kind !== 'machine') return;
      const state = shownState(event.event);
      if (state !== undefined) machine = { state, since: event.event.at };
    },
    ended(given) {
      report = given;
      journal.write(
        given.verdict === 'pass'
          ? { text: 'the rehearsal has passed' }
          : { level: 'error', text: `the rehearsal has failed: ${given.reasons.join(', ')}` },
      );
    },
    samples: samples.all,
    act: actions.act,
    state() {
      const { staleReads, writes } = checker.summary();
      const { lostSessions, resurrectedSessions } = sessionChecker.summary();
      const { requests, errors5xx } = recorder;
      const [status, stages] = [statusOf(), progress.stages()];
      return {
        kind: 'rehearsal',
        title: titleOf(options),
        at: Date.now(),
        startedAt,
        endsAt: progress.endsAt,
        status,
        safety: safetyOf({
          ...{ status, staleReads, lostSessions, resurrectedSessions, errors5xx },
          failed: named(stages.find((stage) => stage.status === 'failed')),
          back: backOf(),
          isMirrorOff: actions.isMirrorOff,
          fault: faultOf(),
          current: named(progress.current()),
          verdict: report?.reasons,
        }),
        weights: { legacy: 100 - router.weightPercent, serverless: router.weightPercent },
        stages,
        machine,
        totals: { requests, errors5xx, writes, lostSessions, staleReads },
        stale: checker.explained(),
        alarms: alarmsOf({
          ...{ samples: samples.all(), now: Date.now(), staleReads, uncoveredAt },
          connectionFailures: connectionFailures(),
        }),
        marks: journal.marks,
        log: journal.lines,
        actions: actions.available(),
      };
    },
  };
}

const titleOf = ({ migration = 'v2', mode, seed }: RehearsalOptions): string =>
  `rehearsal ${migration}${mode === 'naive' ? ', the plain way' : ''}, seed ${seed}`;

/** Of a count that only grows: how much of it came lately, as far as somebody has looked meanwhile. */
function recentOf(count: () => number): () => number {
  const looks: { readonly at: number; readonly total: number }[] = [{ at: Date.now(), total: 0 }];
  return () => {
    const [now, total] = [Date.now(), count()];
    looks.push({ at: now, total });
    while ((looks[1]?.at ?? now) < now - ALARM_WINDOW_MS) looks.shift();
    return total - (looks[0]?.total ?? total);
  };
}
