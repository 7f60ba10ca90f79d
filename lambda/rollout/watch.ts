import { type Cursor, SETTLE_SHARE } from '../contract/rollout.ts';
import { afterStage, stageAt } from './cursor.ts';
import { RolloutGateError } from './errors.ts';
import { GATE, judge, judgeEarly, type StageFigures } from './gates.ts';

/** What was seen of the serverless backend in a minute. */
export interface MinuteFigures {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  readonly hits: number;
  readonly misses: number;
  readonly connectionFailures: number;
  readonly staleEntries: number;
  /** The 95th percentile of the routes that are cached, and of how many requests; one for each route. */
  readonly latencies: readonly { readonly p95Ms: number; readonly samples: number }[];
}

/** Where the figures come from. */
export interface Figures {
  /** The minutes that have anything; times in milliseconds since 1970. */
  minutes(span: { readonly from: number; readonly to: number }): Promise<readonly MinuteFigures[]>;
}

const MINUTE_MS = 60_000;
/** The longest recovery of a hit rate: requirement R7. */
const RECOVERY_MINUTES = 10;
/** Until a minute is in the metrics: it is written up to 10 s after it, and shown a minute later. */
export const LATE_MS = 2 * MINUTE_MS;

/** What a look at a stage says; the cursor stays where it is while it is `watching`. */
export interface Observation {
  readonly verdict: 'watching' | 'passed';
  readonly figures: StageFigures;
  readonly cursor: Cursor;
}

export interface ObserveOptions {
  readonly figures: Figures;
  /** In milliseconds since 1970. */
  readonly now: number;
  /** How long metrics take to be there. Default: 2 minutes. */
  readonly lateMs?: number;
  /** How long a minute of a stage is; shorter where a rollout is rehearsed. Default: 60 s. */
  readonly minuteMs?: number;
}

/**
 * Looks at a stage while it is observed: errors, lost connections and stale entries of all of its time, hit rate and latency of what is
 * left after the caches have had the time to recover.
 * @throws RolloutGateError with what speaks against going on: at once where more time cannot mend it.
 */
export async function observe(cursor: Cursor, options: ObserveOptions): Promise<Observation> {
  const { figures: source, now, lateMs = LATE_MS, minuteMs = MINUTE_MS } = options;
  const stage = stageAt(cursor);
  const began = Date.parse(cursor.advancedAt ?? '');
  if (Number.isNaN(began)) throw new RangeError(`rollout: ${stage.percent} % is not advanced yet`);
  const lastingMs = stage.minutes * minuteMs;
  const settledAt = began + settleMs(stage.minutes, minuteMs);
  const minutes = (await source.minutes({ from: began, to: now })).filter(({ at }) => at >= began);
  const isOver = now >= began + lastingMs + lateMs;
  const settled = minutes.filter(({ at }) => at >= settledAt);
  const figures = figuresOf(minutes, isOver ? lengthened(settled, minutes) : settled);
  const complaints = isOver ? judge(figures) : judgeEarly(figures);
  if (complaints.length > 0) {
    throw new RolloutGateError(
      `rollout: the gate does not hold at ${stage.percent} %: ${complaints.join('; ')}`,
      complaints,
    );
  }
  return isOver
    ? { verdict: 'passed', figures, cursor: afterStage(cursor) }
    : { verdict: 'watching', figures, cursor };
}

/** With as many of the minutes before as a hit rate needs: those in which the caches recovered count only where there is nothing better. */
function lengthened(
  settled: readonly MinuteFigures[],
  all: readonly MinuteFigures[],
): readonly MinuteFigures[] {
  const readsOf = (minutes: readonly MinuteFigures[]) => sum(minutes, ({ hits, misses }) => hits + misses);
  let from = all.length - settled.length;
  while (from > 0 && readsOf(all.slice(from)) < GATE.minReads) from -= 1;
  return all.slice(from);
}

/** Of a stage of so many minutes, the milliseconds that belong to the recovery of the caches: hit rate and latency are judged after them. */
export const settleMs = (minutes: number, minuteMs = MINUTE_MS): number =>
  Math.min(minutes * SETTLE_SHARE, RECOVERY_MINUTES) * minuteMs;

/** What is judged of these minutes. @param after those in which the caches have recovered. */
export function figuresOf(all: readonly MinuteFigures[], after: readonly MinuteFigures[]): StageFigures {
  const hits = sum(after, ({ hits: each }) => each);
  return {
    requests: sum(all, ({ requests }) => requests),
    errors: sum(all, ({ errors }) => errors),
    hits,
    reads: hits + sum(after, ({ misses }) => misses),
    hitP95Ms: weightedMean(
      after.flatMap(({ latencies }) => latencies.map(({ p95Ms, samples }) => [p95Ms, samples] as const)),
    ),
    connectionFailures: sum(all, ({ connectionFailures }) => connectionFailures),
    staleEntries: sum(all, ({ staleEntries }) => staleEntries),
  };
}

/**
 * The mean of percentiles, by how many samples each is of, in whole milliseconds: one of all of them together CloudWatch does not keep.
 * Undefined where there is no sample.
 */
export function weightedMean(
  parts: readonly (readonly [percentileMs: number, samples: number])[],
): number | undefined {
  const samples = sum(parts, ([, each]) => each);
  if (samples === 0) return undefined;
  return Math.round(sum(parts, ([percentileMs, each]) => percentileMs * each) / samples);
}

const sum = <T>(all: readonly T[], of: (each: T) => number): number =>
  all.reduce((total, each) => total + of(each), 0);

/** Whether the hit rate is back after a flush: `wait`, or go on. */
export interface RecoveryAnswer {
  readonly verdict: 'wait' | 'recovered';
  readonly text: string;
}

/** What lambda/flush says of it. */
export interface RecoveryVerdict {
  readonly verdict: 'recovered' | 'not recovered' | 'did not fall' | 'too early' | 'too few reads';
  readonly lastPercent: number | undefined;
  readonly lowestPercent: number | undefined;
}

/** @throws RolloutGateError where it has not come back in time, or nobody can tell though the backend has traffic. */
export function judgeRecovered({ verdict, lastPercent, lowestPercent }: RecoveryVerdict): RecoveryAnswer {
  const rates = `lowest ${shown(lowestPercent)}, last ${shown(lastPercent)}`;
  if (verdict === 'too early') return { verdict: 'wait', text: rates };
  if (verdict === 'recovered' || verdict === 'did not fall') {
    return { verdict: 'recovered', text: `${verdict}: ${rates}` };
  }
  throw new RolloutGateError(
    `rollout: the hit rate is not back 10 minutes after the flush: ${verdict}, ${rates}; it must be above 80 %`,
  );
}

const shown = (percent: number | undefined): string =>
  percent === undefined ? 'unknown' : `${Math.round(percent)} %`;
