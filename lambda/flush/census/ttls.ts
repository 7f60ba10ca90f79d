/** The times to live of a class, in bounded memory: about 700 numbers span a millisecond to ten centuries. */
export interface TtlCounts {
  /** How many keys have none. */
  lasting: number;
  shortestMs: number;
  longestMs: number;
  /** How many there are in each interval, by its number: each is longer than the one before by `GROWTH`. */
  readonly intervals: Map<number, number>;
}

/** When the keys of a class expire, in seconds. */
export interface TtlSpread {
  readonly shortest: number;
  /** Within 2.5 %. */
  readonly median: number;
  readonly longest: number;
}

const GROWTH = Math.log(1.05);

export const createTtls = (): TtlCounts => ({
  lasting: 0,
  shortestMs: Number.POSITIVE_INFINITY,
  longestMs: 0,
  intervals: new Map(),
});

/** @param ttlMs as PTTL answers it: -1 is for ever. */
export function addTtl(counts: TtlCounts, ttlMs: number): void {
  if (ttlMs < 0) {
    counts.lasting += 1;
    return;
  }
  counts.shortestMs = Math.min(counts.shortestMs, ttlMs);
  counts.longestMs = Math.max(counts.longestMs, ttlMs);
  const interval = Math.floor(Math.log(ttlMs + 1) / GROWTH);
  counts.intervals.set(interval, (counts.intervals.get(interval) ?? 0) + 1);
}

/** Adds the counts of another server. */
export function mergeTtls(into: TtlCounts, from: TtlCounts): void {
  into.lasting += from.lasting;
  into.shortestMs = Math.min(into.shortestMs, from.shortestMs);
  into.longestMs = Math.max(into.longestMs, from.longestMs);
  for (const [interval, count] of from.intervals) {
    into.intervals.set(interval, (into.intervals.get(interval) ?? 0) + count);
  }
}

/** Undefined where nothing expires. */
export function spreadOf({ shortestMs, longestMs, intervals }: TtlCounts): TtlSpread | undefined {
  const ascending = [...intervals].sort(([one], [other]) => one - other);
  const expiring = ascending.reduce((sum, [, count]) => sum + count, 0);
  if (expiring === 0) return undefined;
  let left = Math.ceil(expiring / 2);
  const middle = ascending.find(([, count]) => {
    left -= count;
    return left <= 0;
  });
  const middleMs = Math.exp(((middle?.[0] ?? 0) + 0.5) * GROWTH) - 1;
  const seconds = (ms: number) => Math.round(ms / 1000);
  return {
    shortest: seconds(shortestMs),
    median: seconds(Math.min(longestMs, Math.max(shortestMs, middleMs))),
    longest: seconds(longestMs),
  };
}
