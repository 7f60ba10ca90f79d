import { ALARMS } from '../../../lambda/contract/alarms.ts';
import { GATE } from '../../../lambda/rollout/gates.ts';
import type { AlarmView, Sample } from '../contract.ts';

export interface AlarmFigures {
  readonly samples: readonly Sample[];
  readonly now: number;
  readonly staleReads: number;
  /** Connections to Redis that were lost or not opened in the time that alarms look at. */
  readonly connectionFailures: number;
  /** When the dispatcher last told of a writer that does not invalidate; undefined where it never has. */
  readonly uncoveredAt: number | undefined;
}

/** In a rehearsal a second stands for a minute: the window of the slowest alarm, three times five minutes. */
export const ALARM_WINDOW_MS = 15_000;

/** What a rehearsal has of the figures that the deployed alarms look at, under their names. There is no CloudWatch. */
export function alarmsOf(figures: AlarmFigures): AlarmView[] {
  const { now, samples, staleReads, connectionFailures, uncoveredAt } = figures;
  const recent = samples.filter(({ at }) => at >= now - ALARM_WINDOW_MS);
  const sum = (of: 'requests' | 'errors' | 'hits' | 'misses') =>
    recent.reduce((total, { backends }) => total + (backends.serverless[of] ?? 0), 0);
  const [requests, errors, hits, misses] = [sum('requests'), sum('errors'), sum('hits'), sum('misses')];
  const rate = (part: number, all: number) => (all === 0 ? 0 : (100 * part) / all);
  const isUncovered = uncoveredAt !== undefined && uncoveredAt >= now - ALARM_WINDOW_MS;
  return [
    view('api-errors', {
      value: requests === 0 ? undefined : rate(errors, requests),
      reason: `${errors} of ${requests} answers were 5xx`,
    }),
    view('cache-miss-rate', {
      value: hits + misses < GATE.minReads ? undefined : rate(misses, hits + misses),
      reason: `${misses} of ${hits + misses} reads were misses`,
    }),
    view('redis-connection-failures', {
      value: connectionFailures,
      reason: `${connectionFailures} connections to Redis failed`,
    }),
    view('stale-entries', { value: staleReads, reason: `${staleReads} reads were stale` }),
    view('uncovered-writers', {
      value: isUncovered ? 1 : 0,
      reason: isUncovered ? ALARMS['uncovered-writers'].says : 'every writer invalidates',
    }),
  ];
}

type LocalAlarm =
  | 'api-errors'
  | 'cache-miss-rate'
  | 'redis-connection-failures'
  | 'stale-entries'
  | 'uncovered-writers';

/** With the deployed threshold, in whose unit the value is; undefined where there is too little to tell. */
function view(
  name: LocalAlarm,
  { value, reason }: { readonly value: number | undefined; readonly reason: string },
): AlarmView {
  const { threshold } = ALARMS[name];
  if (value === undefined) return { name, state: 'unknown', reason: `too little to tell: ${reason}` };
  return { name, state: value > threshold ? 'alarm' : 'ok', reason };
}
