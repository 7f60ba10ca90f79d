import { expect, test } from '@jest/globals';
import type { FlushRow } from '../../../bench/flush/rows.ts';
import { judgeFlush } from '../../../bench/flush/targets.ts';

const row = (values: Partial<FlushRow>): FlushRow => ({
  ...{ flusher: 'unpaced', keys: 1_000_000, seconds: 2, deletedPerSecond: 300_000, memoryMb: 100 },
  ...{ ratioToPlain: 5, ratioToShell: 9, calmerThanPlain: 100, waits: { p50Ms: 1, p99Ms: 2, maxMs: 3 } },
  ...values,
});
const MEASURED = [
  row({}),
  row({ flusher: 'paced', ratioToPlain: 3, ratioToShell: 5 }),
  row({ flusher: 'plain', memoryMb: 900 }),
];
const alone = (keys: number, seconds: number) =>
  row({ keys, seconds, ratioToPlain: Number.NaN, ratioToShell: Number.NaN });

const missed = (rows: readonly FlushRow[]) =>
  judgeFlush(rows)
    .filter(({ met }) => !met)
    .map(({ name }) => name);

test('all is met at the bounds', () => {
  const [, paced = row({}), plain = row({})] = MEASURED;
  const rows = [
    row({ ratioToPlain: 4.5, ratioToShell: 8, memoryMb: 119.9 }),
    { ...paced, ratioToPlain: 2.5, calmerThanPlain: 50 },
    plain,
    alone(100_000, 0.2),
    alone(5_000_000, 13),
  ];
  expect(missed(rows)).toEqual([]);
});

test.each<[string, Partial<FlushRow>]>([
  ['unpaced, times the plain script', { ratioToPlain: 4.49 }],
  ["unpaced, times the shell's one-liner", { ratioToShell: 7.99 }],
  ['at the default pace, times the plain script', { flusher: 'paced', ratioToPlain: 2.49 }],
  ['at the default pace, the plain', { flusher: 'paced', calmerThanPlain: 49.9 }],
  ['memory of the client, paced', { flusher: 'paced', memoryMb: 120 }],
])('%s', (name, values) => {
  const rows = MEASURED.map((each) =>
    each.flusher === (values.flusher ?? 'unpaced') ? { ...each, ...values } : each,
  );
  expect(missed(rows)).toEqual([expect.stringContaining(name)]);
});

test('growth is from the fewest keys to the most', () => {
  expect(missed([...MEASURED, alone(5_000_000, 13.1), alone(100_000, 0.2)])).toEqual([
    'growth from 100000 to 5000000 keys: linear within 1.3',
  ]);
});

test('what was not measured is not met', () => {
  expect(missed([])).toHaveLength(4);
});
