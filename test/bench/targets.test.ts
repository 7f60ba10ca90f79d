import { describe, expect, test } from '@jest/globals';
import type { OutageRow, Row, ThroughputRow } from '../../bench/rows.ts';
import { judge } from '../../bench/targets.ts';

const throughput = (row: Partial<ThroughputRow>): ThroughputRow => ({
  case: 'hit',
  library: 'ours',
  inFlight: 1,
  valueBytes: 200,
  opsPerSecond: 1000,
  ratioToRaw: 1,
  p50Us: 1,
  p99Us: 2,
  ...row,
});
const outage = (row: Partial<OutageRow>): OutageRow => ({
  case: 'freeze',
  library: 'ours',
  reads: 100,
  threw: false,
  hanging: 0,
  longestWaitMs: 160,
  recovered: true,
  ...row,
});
const met = (...rows: Row[]) => judge(rows).map((target) => target.met);

describe('hits of 200 B', () => {
  test.each([
    [1, 0.95, 0.94],
    [50, 1.2, 1.19],
    [500, 1.6, 1.59],
  ])('with %d in flight reach %d of raw', (inFlight, enough, tooLittle) => {
    expect(met(throughput({ inFlight, ratioToRaw: enough }))).toEqual([true]);
    expect(met(throughput({ inFlight, ratioToRaw: tooLittle }))).toEqual([false]);
  });
});

test('hits of 10 KB are ahead of every library, and raw is none', () => {
  const ours = throughput({ valueBytes: 10_000, ratioToRaw: 0.9 });
  const raw = throughput({ valueBytes: 10_000, library: 'raw', ratioToRaw: 1 });
  const peer = (ratioToRaw: number) => throughput({ valueBytes: 10_000, library: 'peer', ratioToRaw });
  expect(met(ours, raw, peer(0.89))).toEqual([true]);
  expect(met(ours, raw, peer(0.89), peer(0.9))).toEqual([false]);
});

test('misses reach 0.55 of raw, and with 500 in flight are ahead of every library', () => {
  const miss = (row: Partial<ThroughputRow>) => throughput({ case: 'miss', ...row });
  expect(met(miss({ inFlight: 50, ratioToRaw: 0.55 }))).toEqual([true]);
  expect(met(miss({ inFlight: 50, ratioToRaw: 0.54 }))).toEqual([false]);
  const peer = miss({ inFlight: 500, library: 'peer', ratioToRaw: 0.7 });
  expect(met(miss({ inFlight: 500, ratioToRaw: 0.6 }), peer)).toEqual([true, false]);
});

test('one load of a stampede, and no stale read after a late fill', () => {
  const stampede = { case: 'stampede', library: 'ours', callers: 100 } as const;
  expect(met({ ...stampede, loads: 1 }, { ...stampede, loads: 2 })).toEqual([true, false]);
  const lateFill = { case: 'late-fill', library: 'ours', means: 'invalidate' } as const;
  expect(met({ ...lateFill, stale: false }, { ...lateFill, stale: true })).toEqual([true, false]);
});

test.each<[string, Partial<OutageRow>]>([
  ['throws', { threw: true }],
  ['never answers', { hanging: 1 }],
  ['waits for more than 300 ms', { longestWaitMs: 301 }],
  ['does not recover', { recovered: false }],
])('an outage in which a read %s misses the target', (_, failure) => {
  expect(met(outage({}), outage(failure))).toEqual([true, false]);
});

test('only ours is judged', () => {
  expect(judge([outage({ library: 'raw', threw: true })])).toEqual([]);
});
