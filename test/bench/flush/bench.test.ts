import { beforeAll, expect, test } from '@jest/globals';
import type { Bench } from '../../../bench/bench.ts';
import { benchFlush } from '../../../bench/flush/bench.ts';
import { reportFlush } from '../../../bench/flush/report.ts';
import type { FlushRow } from '../../../bench/flush/rows.ts';
import { ownWorkspace } from '../../support/servers.ts';

let bench: Bench<FlushRow>;

// Short of everything: whether it measures at all, not how much. Each run looks whether the right keys are gone.
beforeAll(async () => {
  const progress = { step() {}, done() {} };
  bench = await benchFlush(await ownWorkspace(), {
    ...{ keys: 2000, growthKeys: [1000], rounds: 1, calmMs: 50, progress },
  });
}, 60_000);

test('each flusher is compared with the plain script and with the shell', () => {
  const rows = bench.rows.filter(({ keys, flusher }) => keys === 2000 && flusher !== 'nobody');
  expect(rows.map(({ flusher }) => flusher)).toEqual(['unpaced', 'paced', 'plain', 'shell']);
  for (const { deletedPerSecond, ratioToPlain, ratioToShell, waits } of rows) {
    expect(Math.min(deletedPerSecond, ratioToPlain, ratioToShell, waits.p50Ms)).toBeGreaterThan(0);
    expect([waits.p50Ms, waits.p99Ms, waits.maxMs].toSorted((a, b) => a - b)).toEqual(Object.values(waits));
  }
  expect(rows[2]).toMatchObject({ ratioToPlain: 1, calmerThanPlain: 1 });
});

test('the bystander is measured where nobody flushes, too', () => {
  const rows = bench.rows.filter(({ flusher }) => flusher === 'nobody');
  expect(rows).toMatchObject([{ keys: 2000, deletedPerSecond: Number.NaN, memoryMb: Number.NaN }]);
  expect(rows[0]?.waits.p50Ms).toBeGreaterThan(0);
});

test('ours is measured alone with other numbers of keys', () => {
  const rows = bench.rows.filter(({ keys }) => keys === 1000);
  expect(rows.map(({ flusher, ratioToPlain }) => [flusher, ratioToPlain])).toEqual([['unpaced', Number.NaN]]);
});

test('the report names each of them', () => {
  const text = reportFlush(bench);
  for (const word of ['unpaced', 'paced', 'plain', 'shell', 'nobody', '1,000', 'growth from 1000 to 2000']) {
    expect(text).toContain(word);
  }
  expect(text).not.toContain('NaN');
});
