import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createEvictions } from '../../../lambda/coverage/evictions.ts';
import { reportCoverage } from '../../../lambda/coverage/report.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../../lambda/database/pool.ts';
import { type Dispatcher, openDispatcher } from '../../../lambda/outbox/dispatcher.ts';
import { openCache } from '../../../lambda/outbox/open-cache.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { startBackend } from '../../../rehearsal/backends.ts';
import { createRedisUsers, type RedisUrls, refusalsOf } from '../../../rehearsal/redis-users.ts';
import { ask } from '../../support/http.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis, ownWorkspace } from '../../support/servers.ts';

const ENV = 'test';
/** Longer than a writer is given from a dispatcher's first look to its invalidation. */
const BETWEEN_VISITS_MS = 1200;

let databaseUrl: string;
let redisUrls: RedisUrls;
let database: Database;
let redis: RedisConnection;
let dispatcher: Dispatcher;
const told: { readonly message: string; readonly fields: unknown }[] = [];

beforeAll(async () => {
  const [redisServer, databaseServer] = await Promise.all([ownRedis(), freshDatabase()]);
  databaseUrl = databaseServer.url;
  await migrate(databaseUrl);
  database = createPool({ url: databaseUrl, applicationName: 'test' });
  redis = await lookInto(redisServer.url);
  redisUrls = await createRedisUsers(
    { send: redis.send, url: redisServer.url },
    { phase: 'isolated', env: ENV },
  );
  dispatcher = await openDispatcher(
    { NODE_ENV: ENV, REDIS_URL: redisUrls.serverless, DATABASE_URL: databaseUrl },
    { info() {}, warn: (message, fields) => void told.push({ message, fields }), error() {} },
  );
});
beforeEach(async () => {
  await database.query('TRUNCATE cutover_outbox, cutover_coverage');
  told.length = 0;
});
afterAll(async () => {
  await dispatcher.close();
  await database.end();
});

const legacyBackend = async (mirror: 'on' | 'off') =>
  startBackend(await ownWorkspace(), {
    name: `legacy-${mirror}`,
    main: ['legacy/main.ts'],
    environment: {
      NODE_ENV: ENV,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrls.legacy,
      REDIS_TWINS_URL: redisUrls['legacy-twins'],
      REDIS_STATE_URL: redisUrls['legacy-state'],
      MIRROR: mirror,
    },
  });

const put = async (url: string, user: string) => {
  const path = `/api/users/${user}/mocs/item`;
  const reply = await ask(url, {
    ...{ method: 'PUT', path, body: '{"data":{}}' },
    headers: { 'content-type': 'application/json' },
  });
  expect(reply.status).toBe(200);
};

const twoVisits = async () => {
  await dispatcher.dispatch();
  await sleep(BETWEEN_VISITS_MS);
  return dispatcher.dispatch();
};

const report = (sinceSeconds = 3600) =>
  reportCoverage({ database, scanner: redis, reader: redis, sinceSeconds });
const writers = async () =>
  (await report()).writers.map(({ table, writer, writes, uncoveredWrites, covered }) => ({
    ...{ table, writer, writes, uncoveredWrites, covered },
  }));

describe('a legacy instance', () => {
  test('without the mirror is named within two dispatches, and without a key', async () => {
    const { url } = await legacyBackend('off');
    await put(url, '1');
    const { uncovered } = await twoVisits();
    expect(uncovered).toEqual([{ table: 'mocs', writer: 'legacy-express', writes: 1 }]);
    expect(told).toEqual([
      { message: expect.stringContaining('without an invalidation'), fields: { uncovered } },
    ]);
    expect(JSON.stringify([told, uncovered])).not.toContain('user:1');
    expect(await writers()).toEqual([
      { table: 'mocs', writer: 'legacy-express', writes: 1, uncoveredWrites: 1, covered: false },
    ]);
    expect((await report()).complete).toBe(false);
  });

  test('with the mirror is covered, and says that it is there', async () => {
    const { url } = await legacyBackend('on');
    for (const user of ['2', '3', '4']) await put(url, user);
    expect(await twoVisits()).not.toHaveProperty('uncovered');
    expect(await writers()).toEqual([
      { table: 'mocs', writer: 'legacy-express', writes: 3, uncoveredWrites: 0, covered: true },
    ]);
    expect(await report()).toMatchObject({ judged: true, complete: true });
    expect((await report()).instances).toEqual(
      expect.arrayContaining([
        { service: 'legacy', phase: 'legacy', env: ENV, mirror: true, startedAt: expect.any(String) },
        expect.objectContaining({ service: 'cutover-dispatcher', phase: null, mirror: false }),
      ]),
    );
    expect(await refusalsOf(redis.send)).toEqual([]);
  });

  test('beside one without it does not cover what that one writes later', async () => {
    const [on, off] = await Promise.all([legacyBackend('on'), legacyBackend('off')]);
    await put(on.url, '5');
    await dispatcher.dispatch();
    await sleep(BETWEEN_VISITS_MS);
    await put(off.url, '5');
    const { uncovered } = await twoVisits();
    expect(uncovered).toEqual([{ table: 'mocs', writer: 'legacy-express', writes: 1 }]);
  });

  test('whose key a mirror has filled since proves nothing, in either direction', async () => {
    const [on, off] = await Promise.all([legacyBackend('on'), legacyBackend('off')]);
    await put(off.url, '6');
    expect((await ask(on.url, { path: '/api/users/6/mocs' })).headers['x-cache']).toBe('miss');
    expect(await twoVisits()).not.toHaveProperty('uncovered');
    expect(await writers()).toEqual([]);
  });
});

const insert = (db: Database, user: string) =>
  db.query("INSERT INTO mocs (user_id, item_id, version, data) VALUES ($1, 'a', 1, '{}')", [user]);

test('a writer is given until the second visit to invalidate', async () => {
  await insert(database, '10');
  await dispatcher.dispatch();
  expect(await dispatcher.dispatch()).not.toHaveProperty('uncovered');
  await redis.send(['SET', 'cutover:seen:{mocs:user:10:list}:mocs:user:10:list', '1', 'EX', '180']);
  await sleep(BETWEEN_VISITS_MS);
  expect(await dispatcher.dispatch()).not.toHaveProperty('uncovered');
  expect(await writers()).toMatchObject([{ writes: 1, uncoveredWrites: 0 }]);
});

test('an invalidation outside of a transaction covers a write, and one that came before it does not', async () => {
  const environment = { NODE_ENV: ENV, MIGRATION_MODE: 'true', REDIS_URL: redisUrls.serverless };
  const { cache, close } = await openCache(environment, { database });
  await insert(database, '11');
  await cache.invalidate('mocs:user:11:list');
  await cache.invalidate('mocs:user:12:list');
  await sleep(500);
  await insert(database, '12');
  const { uncovered } = await twoVisits();
  close();
  expect(uncovered).toEqual([{ table: 'mocs', writer: 'test', writes: 1 }]);
  expect(await writers()).toMatchObject([{ writes: 2, uncoveredWrites: 1, covered: false }]);
});

test('what the runtime writes is not judged, and leaves no mark', async () => {
  const environment = { NODE_ENV: ENV, MIGRATION_MODE: 'true', REDIS_URL: redisUrls.serverless };
  const { writes, close } = await openCache(environment, { database });
  await writes.withTransaction(async (tx) => {
    tx.invalidate('mocs:user:13:list');
    await tx.query("INSERT INTO mocs (user_id, item_id, version, data) VALUES ('13', 'a', 1, '{}')");
  });
  expect(await twoVisits()).not.toHaveProperty('uncovered');
  close();
  expect(await writers()).toEqual([]);
  expect(await redis.send(['KEYS', 'cutover:seen:*user:13*'])).toEqual([]);
});

test('rows that are older than a mark lives are not judged', async () => {
  await insert(database, '14');
  await dispatcher.dispatch();
  await database.query("UPDATE cutover_outbox SET created_at = created_at - interval '171 seconds'");
  await sleep(BETWEEN_VISITS_MS);
  expect(await dispatcher.dispatch()).not.toHaveProperty('uncovered');
});

test('each row is counted once, however many dispatchers run', async () => {
  const other = await openDispatcher(
    { NODE_ENV: ENV, REDIS_URL: redisUrls.serverless, DATABASE_URL: databaseUrl },
    { info() {}, warn() {}, error() {} },
  );
  for (let user = 100; user < 160; user += 1) await insert(database, String(user));
  await dispatcher.dispatch();
  await sleep(BETWEEN_VISITS_MS);
  await Promise.all([dispatcher, other, dispatcher, other].map((each) => each.dispatch()));
  await other.close();
  expect(await writers()).toMatchObject([{ writes: 60, uncoveredWrites: 60 }]);
});

test('a writer that gives no name is named by its role', async () => {
  const nameless = createPool({ url: databaseUrl, applicationName: '' });
  await insert(nameless, '15');
  await nameless.end();
  const { uncovered } = await twoVisits();
  expect(uncovered).toEqual([{ table: 'mocs', writer: expect.stringMatching(/^role \w+$/), writes: 1 }]);
});

test('a writer of earlier than is asked for counts no more', async () => {
  await insert(database, '16');
  await twoVisits();
  await database.query(
    "UPDATE cutover_coverage SET last_uncovered = last_uncovered - interval '2 hours', last_seen = last_seen - interval '30 minutes'",
  );
  expect(await report(3600)).toMatchObject({ complete: true, writers: [{ covered: true }] });
  expect(await report(3 * 3600)).toMatchObject({ complete: false, writers: [{ covered: false }] });
  expect((await report(60)).writers).toEqual([]);
});

test('without a dispatcher nobody finds out, which is no coverage', async () => {
  for (const key of (await redis.send(['KEYS', 'cutover:instance:cutover-dispatcher:*'])) as string[]) {
    await redis.send(['UNLINK', key]);
  }
  expect(await report()).toMatchObject({ writers: [], judged: false, complete: false });
});

test('while Redis evicts, nobody is blamed', async () => {
  let evicted = 0;
  let now = 0;
  const evictions = createEvictions(
    async () => `evicted_keys:${evicted}\r\n`,
    180_000,
    () => now,
  );
  expect(await evictions.wereLately()).toBe(false);
  evicted = 5;
  expect(await evictions.wereLately()).toBe(true);
  now = 179_999;
  expect(await evictions.wereLately()).toBe(true);
  now = 180_000;
  expect(await evictions.wereLately()).toBe(false);
  evicted = 0;
  expect(await evictions.wereLately()).toBe(true);
});
