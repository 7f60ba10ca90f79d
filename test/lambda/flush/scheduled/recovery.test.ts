import { describe, expect, test } from '@jest/globals';

import { figuresOf, recordedOf } from '../../../../lambda/flush/scheduled/figures.ts';
import type { Minute } from '../../../../lambda/flush/scheduled/minutes.ts';
import { judgeRecovery } from '../../../../lambda/flush/scheduled/recovery.ts';

const MINUTE_MS = 60_000;
/** 12 s into a minute. */
const SINCE = Date.parse('2026-11-27T03:00:12Z');
const LATER = SINCE + 15 * MINUTE_MS;

/** Of 100 reads a minute each, from so many minutes after that of the flush. */
const minutesOf = (from: number, percents: readonly number[], reads = 100): Minute[] =>
  percents.map((percent, index) => ({
    at: SINCE - 12_000 + (from + index) * MINUTE_MS,
    hits: (percent * reads) / 100,
    misses: reads - (percent * reads) / 100,
    ...{ latencyMs: 0, latencies: 0 },
  }));
const BEFORE = minutesOf(-3, [90, 94, 92]);
const judge = (percents: readonly number[], now = LATER) =>
  judgeRecovery({ minutes: [...BEFORE, ...minutesOf(0, percents)], since: SINCE, now });

describe('a hit rate', () => {
  test('that falls and comes back has recovered; when, is from the flush to the end of the last low minute', () => {
    expect(judge([70, 40, 60, 81, 85, 90, 91, 91, 92, 92])).toEqual({
      ...{ verdict: 'recovered', fell: true, recovered: true, afterSeconds: 168 },
      ...{ beforePercent: 92, lowestPercent: 40, lastPercent: 92 },
    });
  });

  test.each<[string, readonly number[]]>([
    ['never comes back', [70, 40, 41, 42, 43, 44, 45, 46, 47, 48]],
    ['is at 80 %, which is not above it', [70, 40, 60, 70, 80, 80, 80, 80, 80, 80]],
    ['came back and fell again', [70, 40, 85, 90, 91, 90, 88, 75, 60, 50]],
    // The minute from 3:10:00 ends after the ten minutes.
    ['comes back too late', [70, 40, 41, 42, 43, 44, 45, 46, 47, 80, 95, 95]],
  ])('that %s has not', (_what, percents) => {
    expect(judge(percents)).toMatchObject({ verdict: 'not recovered', fell: true, afterSeconds: undefined });
  });

  test('that stays above 80 % did not fall', () => {
    const seen = judge([91, 85, 88, 90, 91, 91, 92, 92, 92, 92]);
    expect(seen).toMatchObject({ verdict: 'did not fall', fell: false, recovered: true, lowestPercent: 85 });
  });

  test('of the minutes before the flush is not a fall', () => {
    const minutes = [...minutesOf(-2, [10, 20]), ...minutesOf(0, [91, 92, 93])];
    expect(judgeRecovery({ minutes, since: SINCE, now: LATER })).toMatchObject({ fell: false });
  });
});

describe('before the ten minutes are over, and CloudWatch shows them', () => {
  test.each<[string, readonly number[], number, string]>([
    ['it has not fallen yet', [90, 89], 2, 'too early'],
    ['it has not recovered yet', [60, 40, 50], 3, 'too early'],
    ['it has recovered', [60, 40, 82], 3, 'recovered'],
    ['they are over, and not shown yet', [60, 40, 50], 11, 'too early'],
    ['they are over and shown', [60, 40, 50], 12, 'not recovered'],
  ])('%s', (_what, percents, minutes, verdict) => {
    expect(judge(percents, SINCE + minutes * MINUTE_MS).verdict).toBe(verdict);
  });
});

test('a minute with hardly a read is no fall, and none at all no answer', () => {
  const minutes = [...BEFORE, ...minutesOf(0, [90, 91]), ...minutesOf(2, [0], 5), ...minutesOf(3, [92])];
  expect(judgeRecovery({ minutes, since: SINCE, now: LATER })).toMatchObject({ verdict: 'did not fall' });
  expect(judge([])).toMatchObject({ verdict: 'too few reads', recovered: false, lowestPercent: undefined });
});

describe('the figures of a flush', () => {
  const latencies = (minutes: readonly Minute[], latencyMs: number, count: number) =>
    minutes.map((minute) => ({ ...minute, latencyMs: latencyMs * count, latencies: count }));
  const minutes = [
    ...latencies(minutesOf(-2, [90]), 2, 10),
    ...latencies(minutesOf(-1, [96], 200), 5, 20),
    ...latencies(minutesOf(0, [50, 30]), 20, 1),
    ...latencies(minutesOf(2, [60]), 9, 3),
  ];
  /** Over the end of a minute. */
  const span = { began: SINCE, ended: SINCE + MINUTE_MS };
  const keyspace = { before: { hits: 300, misses: 100 }, after: { hits: 310, misses: 130 } };
  const figures = figuresOf({ minutes, span, keyspace });

  test('are weighed by reads and samples; minutes that the flush touched are neither before nor after', () => {
    expect(figures).toEqual({
      cacheHitPercent: { before: 94, after: 60 },
      keyspaceHitPercent: { before: 75, after: 25 },
      databaseLatencyMs: { before: 4, during: 20, after: 9 },
    });
  });

  test('of a Redis that was restarted meanwhile are those since then', () => {
    const after = { hits: 1, misses: 3 };
    const { keyspaceHitPercent } = figuresOf({ minutes, span, keyspace: { ...keyspace, after } });
    expect(keyspaceHitPercent).toEqual({ before: 75, after: 25 });
  });

  test('are recorded each under its name; a hit rate of 0 is a miss rate of 100, and what was not seen is nothing', () => {
    const turns = { dryRun: false, flushed: 7, seconds: 1.5 };
    const none = { before: undefined, during: undefined, after: undefined };
    const cacheHitPercent = { before: 94, after: 0 };
    const recorded = recordedOf(turns, { ...figures, cacheHitPercent, databaseLatencyMs: none });
    expect(Object.fromEntries(recorded.map(({ name, value }) => [name, value]))).toEqual({
      ...{ FlushedKeys: 7, FlushDuration: 1.5 },
      ...{ CacheHitRateBefore: 94, CacheMissRateBefore: 6, CacheHitRateAfter: 0, CacheMissRateAfter: 100 },
      ...{ KeyspaceHitRateBefore: 75, KeyspaceMissRateBefore: 25 },
      ...{ KeyspaceHitRateAfter: 25, KeyspaceMissRateAfter: 75 },
    });
  });
});
