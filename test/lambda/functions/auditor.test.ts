import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { migrate } from '../../../lambda/database/migrate.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { type Sandbox, startSandbox } from '../../support/sandbox.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

const KEY = 'v2:mocs:user:ada@example.com:list';
let urls: { REDIS_URL: string; DATABASE_URL: string };
let redis: RedisConnection;

beforeAll(async () => {
  const [redisServer, { url }] = await Promise.all([ownRedis(), freshDatabase()]);
  await migrate(url);
  urls = { REDIS_URL: redisServer.url, DATABASE_URL: url };
  redis = await lookInto(redisServer.url);
});
beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  await redis.send(['SET', KEY, '{"items":[],"version":0}', 'EX', '290']);
});

const auditor = (environment: Record<string, string> = {}) =>
  startSandbox('auditor', {
    ...{ NODE_ENV: 'test', AWS_LAMBDA_FUNCTION_NAME: 'auditor', ...urls },
    ...environment,
  });

/** What it has written when it ends: figures in the embedded metric format, and the rest. */
async function linesOf(sandbox: Sandbox) {
  const lines = await sandbox.end();
  return {
    figures: lines
      .filter((line) => '_aws' in line)
      .map(({ service, environment, CheckedEntries, StaleEntries }) => ({
        ...{ service, environment, CheckedEntries, StaleEntries },
      })),
    log: lines.filter((line) => !('_aws' in line)),
  };
}
const COMMON = { service: 'cutover-auditor', environment: 'test' };

test('records how many entries were looked at, and how many were stale, and says no key', async () => {
  await redis.send(['SET', 'mocs:user:2:list', '{"items":[{"id":"a"}],"version":7}', 'EX', '290']);
  const sandbox = auditor();
  const answer = await sandbox.invoke({});
  expect(answer).toMatchObject({
    ...{ audited: 2, complete: true },
    stale: [{ family: 'mocs', namespace: '', ageSeconds: expect.any(Number) }],
  });
  const { figures, log } = await linesOf(sandbox);
  expect(figures).toEqual([{ ...COMMON, CheckedEntries: 2, StaleEntries: 1 }]);
  expect(log).toMatchObject([{ level: 'ERROR', message: 'stale entries', stale: [{ family: 'mocs' }] }]);
  expect(JSON.stringify([log, answer])).not.toMatch(/ada|user:2/);
});

test('records that nothing is stale, each time', async () => {
  const sandbox = auditor();
  await sandbox.invoke({});
  await sandbox.invoke({});
  const { figures, log } = await linesOf(sandbox);
  expect(figures).toEqual([1, 2].map(() => ({ ...COMMON, CheckedEntries: 1, StaleEntries: 0 })));
  expect(log).toMatchObject([1, 2].map(() => ({ level: 'INFO', message: 'audited', audited: 1 })));
});

test('records nothing where it could not look', async () => {
  const sandbox = auditor({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
  await expect(sandbox.invoke({})).rejects.toThrow('ECONNREFUSED');
  expect((await linesOf(sandbox)).figures).toEqual([]);
});

test.each(['REDIS_URL', 'DATABASE_URL', 'NODE_ENV'])('does not start without %s', async (name) => {
  await expect(auditor({ [name]: '' }).invoke({})).rejects.toThrow(name);
});
