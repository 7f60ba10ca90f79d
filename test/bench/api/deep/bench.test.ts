import { beforeAll, describe, expect, test } from '@jest/globals';
import { benchApi } from '../../../../bench/api/bench.ts';
import { reportApi } from '../../../../bench/api/report.ts';
import { type ApiRow, isBundle, isReads } from '../../../../bench/api/rows.ts';
import type { Bench } from '../../../../bench/bench.ts';
import { FUNCTION_ENVIRONMENT } from '../../../../lambda/contract/environment.ts';
import { freshDatabase, ownRedis, ownWorkspace } from '../../../support/servers.ts';

const FUNCTIONS = Object.keys(FUNCTION_ENVIRONMENT);

let bench: Bench<ApiRow>;
const done: string[] = [];

// Short of everything: whether it measures at all, not how much.
beforeAll(async () => {
  const [workspace, redis, database] = await Promise.all([ownWorkspace(), ownRedis(), freshDatabase()]);
  bench = await benchApi(workspace, {
    redisUrl: redis.url,
    databaseUrl: database.url,
    rounds: 1,
    slotMs: 50,
    cells: [2],
    progress: { step() {}, done: (text) => done.push(text) },
  });
}, 60_000);

test('the reads of each contender are compared with those without a cache and with the bare handler', () => {
  const reads = bench.rows.filter(isReads);
  expect(reads.map(({ contender, connections }) => [contender, connections])).toEqual([
    ['cached', 2],
    ['uncached', 2],
    ['bare', 2],
  ]);
  expect(reads[1]?.ratioToUncached).toBe(1);
  expect(reads[2]?.ratioToBare).toBe(1);
  for (const { requestsPerSecond, ratioToBare, ratioToUncached, p50Us, p95Us, p99Us } of reads) {
    expect(Math.min(requestsPerSecond, ratioToBare, ratioToUncached, p50Us)).toBeGreaterThan(0);
    expect([p50Us, p95Us, p99Us].toSorted((a, b) => a - b)).toEqual([p50Us, p95Us, p99Us]);
  }
});

describe('bundles', () => {
  test('are those of every deployed function, beside the bare handler', () => {
    const bundles = bench.rows.filter(isBundle);
    expect(bundles.map(({ bundle }) => bundle)).toEqual(['bare', ...FUNCTIONS]);
    expect(bundles[0]).toMatchObject({ overBareMs: 0, until: 'answered' });
    for (const { bundle, sizeKb, startMs } of bundles.slice(1)) {
      expect({ bundle, small: sizeKb <= (bundles[0]?.sizeKb ?? 0) }).toEqual({ bundle, small: false });
      expect(startMs).toBeGreaterThan(0);
    }
  });

  test('are only imported where a call would flush, migrate or dispatch', () => {
    const answering = bench.rows.filter(isBundle).filter(({ until }) => until === 'answered');
    expect(answering.map(({ bundle }) => bundle)).toEqual(['bare', 'api']);
  });
});

test('the report has a line for each row, and says where and when it was measured', () => {
  const report = reportApi(bench);
  for (const name of ['cached', 'uncached', 'bare', ...FUNCTIONS]) expect(report).toContain(`│ ${name} `);
  expect(report).toContain(`${bench.machine}, ${bench.date}`);
  expect(done.map((line) => line.split(':')[0])).toEqual(['flag reads, 2 in flight', 'cold starts']);
});
