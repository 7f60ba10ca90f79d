import { beforeAll, describe, expect, test } from '@jest/globals';
import { bundleProcesses } from '../../bench/bundle.ts';
import { compare } from '../../bench/cells.ts';
import { benchStampede } from '../../bench/stampede.ts';
import type { LibraryWorker, Tasks } from '../../bench/tasks.ts';
import { seedValues } from '../../bench/values.ts';
import { startWorker } from '../../bench/workers.ts';
import { lookInto } from '../support/redis.ts';
import { freshDatabase, ownRedis, ownWorkspace } from '../support/servers.ts';

/** Short of everything: whether it measures at all, not how much. */
const BRIEFLY = { rounds: 1, slotMs: 50 };

let start: (library: string) => Promise<LibraryWorker>;
let flush: () => Promise<unknown>;
let [raw, ours]: LibraryWorker[] = [];

beforeAll(async () => {
  const workspace = await ownWorkspace();
  const [redis, database, { worker: file }] = await Promise.all([
    ownRedis(),
    freshDatabase(),
    bundleProcesses(workspace, { worker: 'bench/worker.ts' }),
  ]);
  await seedValues(database.url);
  const admin = await lookInto(redis.url);
  flush = () => admin.send(['FLUSHALL']);
  start = (library) =>
    startWorker<Tasks>(workspace, {
      name: library,
      file,
      environment: { LIBRARY: library, REDIS_URL: redis.url, DATABASE_URL: database.url },
    });
  [raw, ours] = await Promise.all([start('raw'), start('ours')]);
}, 60_000);

describe.each(['hit', 'miss'] as const)('a cell of %s', (kind) => {
  test('compares each contender with raw', async () => {
    const workers = [raw, ours].filter((worker) => worker !== undefined);
    const rows = await compare({ case: kind, valueBytes: 200, inFlight: 50 }, workers, { ...BRIEFLY, flush });
    expect(rows.map(({ library }) => library)).toEqual(['raw', 'ours']);
    expect(rows[0]?.ratioToRaw).toBe(1);
    for (const { opsPerSecond, p50Us, p99Us } of rows) {
      expect(opsPerSecond).toBeGreaterThan(0);
      expect(p99Us).toBeGreaterThanOrEqual(p50Us);
    }
  });
});

test('a stampede on the plain pattern loads for each caller, and on ours once in two processes', async () => {
  const second = await start('ours');
  const stampede = async (...workers: (LibraryWorker | undefined)[]) =>
    (
      await benchStampede(
        workers.filter((worker) => worker !== undefined),
        1,
      )
    ).loads;
  expect(await stampede(raw)).toBe(100);
  expect(await stampede(ours, second)).toBe(1);
});

test('the late fill is stale in the plain pattern, and not in ours', async () => {
  expect(await raw?.ask('lateFill', undefined)).toEqual([
    { means: 'DEL', stale: true },
    { means: 'SET', stale: true },
  ]);
  expect(await ours?.ask('lateFill', undefined)).toEqual([{ means: 'invalidate', stale: false }]);
});

test('hits that are not stored are refused, since something else would be measured', async () => {
  const slot = { kind: 'hit', inFlight: 1, valueBytes: 200, durationMs: 50, run: 'never-stored' } as const;
  await flush();
  await expect(raw?.ask('throughput', slot)).rejects.toThrow('were no hit');
});

test('a contender that does not answer in time is reported', async () => {
  const slot = { kind: 'miss', inFlight: 1, valueBytes: 200, durationMs: 2000, run: 'slow' } as const;
  await expect(raw?.ask('throughput', slot, { limitMs: 100 })).rejects.toThrow(
    'raw did not end its throughput',
  );
});
