import type {
  ActionName,
  ConsoleSource,
  ConsoleState,
  LogLine,
  StaleRead,
} from '../../../rehearsal/console/contract.ts';
import {
  cannedMarks,
  cannedSamples,
  percentAt,
  requestsOf,
  STAGES,
  STARTED_AT,
  TOTAL_SECONDS,
  timeOf,
} from './canned-run.ts';

/** A moment of the same rehearsal: in its second stage, at its end, or after the mirror was switched off. */
export type Moment = 'running' | 'passed' | 'failed';

export interface CannedSource extends ConsoleSource {
  /** What was asked for, in order. */
  readonly acted: readonly ActionName[];
  /** Says something else of the state from now on. */
  change(part: Partial<ConsoleState>): void;
}

const SECONDS: Readonly<Record<Moment, number>> = { running: 38, passed: TOTAL_SECONDS, failed: 60 };
const BACK_AT = 57;

/** A source in memory that tells of a realistic rehearsal, the same each time. */
export function cannedSource(moment: Moment = 'running'): CannedSource {
  const backAt = moment === 'failed' ? BACK_AT : Number.POSITIVE_INFINITY;
  const samples = cannedSamples(SECONDS[moment], backAt);
  const acted: ActionName[] = [];
  let state = cannedState(moment, { backAt, requests: requestsOf(samples) });
  return {
    acted,
    state: () => state,
    samples: () => samples,
    change(part) {
      state = { ...state, ...part };
    },
    async act(action) {
      if (action === 'slow-redis')
        throw new Error('rehearsal: freeze-redis is still in; wait until it is over');
      acted.push(action);
      return `${action} is done`;
    },
  };
}

function cannedState(
  moment: Moment,
  run: { readonly backAt: number; readonly requests: number },
): ConsoleState {
  const seconds = SECONDS[moment];
  const failed = moment === 'failed';
  const percent = percentAt(seconds, run.backAt);
  const stale = failed ? cannedStale() : [];
  return {
    kind: 'rehearsal',
    title: 'rehearsal v2, seed 7',
    ...{ at: timeOf(seconds), startedAt: STARTED_AT, endsAt: timeOf(TOTAL_SECONDS) },
    status: moment === 'running' ? 'running' : moment,
    safety: SAFETY[moment],
    weights: { legacy: 100 - percent, serverless: percent },
    stages: STAGES.map(({ percent: each, flushAt, judgedAt }) => {
      const isFailed = failed && each === 50;
      const status = judgedAt <= seconds ? 'passed' : flushAt <= seconds && !failed ? 'current' : 'next';
      return {
        name: `${each} %`,
        status: isFailed ? 'failed' : status,
        reasons: isFailed ? ['23 stale reads', 'hit rate 0.71 is below 0.8'] : [],
      };
    }),
    machine: MACHINE[moment],
    totals: {
      ...{ requests: run.requests, errors5xx: 0, writes: Math.round(run.requests / 21) },
      ...{ lostSessions: 0, staleReads: failed ? 23 : 0 },
    },
    stale,
    alarms: [
      { name: 'cutover-rehearsal-api-5xx', state: 'ok', reason: '0 of the last minute' },
      {
        name: 'cutover-rehearsal-hit-rate-low',
        state: failed ? 'alarm' : 'ok',
        reason: failed ? '71 % is below 80 %' : '',
      },
      {
        name: 'cutover-rehearsal-stale-entries',
        state: failed ? 'alarm' : 'ok',
        reason: failed ? '23 in this run' : '',
      },
      { name: 'cutover-rehearsal-redis-connections', state: 'unknown', reason: 'nothing was measured yet' },
    ],
    marks: cannedMarks(seconds, run.backAt),
    log: cannedLog(seconds, run.backAt),
    actions:
      moment === 'running'
        ? ['pause', 'flush', 'kill-redis', 'freeze-redis', 'slow-redis', 'mirror-off', 'roll-back']
        : [],
  };
}

const SAFETY: Readonly<Record<Moment, ConsoleState['safety']>> = {
  running: { level: 'wait', text: '25 % is being watched: no problem so far, decided by itself in 7 s' },
  passed: { level: 'safe', text: 'all stages passed: the serverless backend carries all traffic' },
  failed: { level: 'unsafe', text: '50 % failed: 23 stale reads. All traffic is back on the legacy backend' },
};

const MACHINE: Readonly<Record<Moment, ConsoleState['machine']>> = {
  running: { state: 'Observe', since: timeOf(30) },
  passed: { state: 'Completed', since: timeOf(86) },
  failed: { state: 'RolledBack', since: timeOf(58) },
};

const cannedStale = (): readonly StaleRead[] =>
  [31, 8, 204, 57, 31, 112].map((user, index) => ({
    at: timeOf(56.6 - index * 0.7),
    key: `mocs:user:${user}:list`,
    ...{ readBy: 'serverless', writtenBy: 'legacy' },
    ...{ versionRead: 6 + index, versionWritten: 7 + index + (index % 2), ageMs: 41 + index * 730 },
  }));

function cannedLog(seconds: number, backAt: number): readonly LogLine[] {
  const lines = STAGES.flatMap(({ percent, flushAt, weightAt, judgedAt }): LogLine[] => [
    {
      at: timeOf(flushAt),
      level: 'info',
      text: `${percent} %: flushed ${100 + percent * 4} entries, kept 480`,
    },
    { at: timeOf(weightAt), level: 'info', text: `${percent} %: weight set` },
    { at: timeOf(judgedAt), level: 'info', text: `${percent} %: gate passed` },
  ]);
  const told = lines.filter(({ at }) => at <= timeOf(Math.min(seconds, backAt)));
  if (seconds < backAt) return told;
  return [
    ...told,
    { at: timeOf(backAt - 6), level: 'warning', text: 'mirror switched off by somebody at the console' },
    {
      at: timeOf(backAt - 1),
      level: 'error',
      text: '50 %: gate failed: 23 stale reads, hit rate 0.71 is below 0.8',
    },
    { at: timeOf(backAt), level: 'warning', text: 'rolled back: serverless 0 %, 512 entries flushed' },
  ];
}
