import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type AuditOptions, type AuditReport, audit } from '../../../lambda/audit/audit.ts';
import { KEY_READERS } from '../../../lambda/audit/loaders.ts';
import { openAuditor } from '../../../lambda/audit/open-auditor.ts';
import { inTurns } from '../../../lambda/audit/turns.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { FAMILIES, type Family, sourcesOf } from '../../../lambda/contract/families.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import { type Dispatcher, openDispatcher } from '../../../lambda/outbox/dispatcher.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { createRedisUsers, refusalsOf } from '../../../rehearsal/redis-users.ts';
import { twoBackends } from '../../support/backends.ts';
import { ask } from '../../support/http.ts';
import { lookInto } from '../../support/redis.ts';

const CLEAN = 10_000;
const PLANTED = 100;
const WRITERS = 6;
const SILENT = { info() {}, warn() {}, error() {} };

let urls: Awaited<ReturnType<typeof twoBackends>>['url'];
let redis: RedisConnection;
let database: Database;
let asAuditor: { readonly url: string; readonly connection: RedisConnection };
let dispatcher: Dispatcher;
let databaseUrl: string;

/** What a reader gets of a user whose list has one item. */
const listOf = (user: number) => ({
  items: [{ id: 'a', version: 1, data: { user } }],
  version: 1,
});
/** The entries of all users: a third under the legacy key, the others in the namespaces. */
const placeOf = (user: number) => `${['', 'v2:', 'cw:test:'][user % 3]}mocs:user:${user}:list`;
const planted = Array.from({ length: PLANTED }, (_, index) => placeOf(CLEAN + index));

beforeAll(async () => {
  const backends = await twoBackends();
  ({ url: urls, redis, database } = backends);
  const users = await createRedisUsers(
    { send: redis.send, url: redis.urlOf(['PING']) },
    { phase: 'isolated', env: 'test' },
  );
  asAuditor = { url: users.auditor, connection: await lookInto(users.auditor) };
  databaseUrl = database.options.connectionString ?? '';
  dispatcher = await openDispatcher(
    { NODE_ENV: 'test', REDIS_URL: users.serverless, DATABASE_URL: databaseUrl },
    SILENT,
  );
}, 60_000);
afterAll(() => dispatcher.close());

const keyspace = createKeyspace({ phase: 'legacy', env: 'test' });
const run = (options: Partial<AuditOptions> = {}): Promise<AuditReport> =>
  audit({
    target: { url: asAuditor.url },
    ...{ keyspace, database, send: asAuditor.connection.send, inTurn: inTurns(4), keyReaders: KEY_READERS },
    ...{ sample: 'all' as const, limitSeconds: 120, pauseMs: 200 },
    ...options,
  });

const insertUsers = (from: number, count: number) =>
  Promise.all([
    database.query(
      `INSERT INTO mocs (user_id, item_id, version, data)
       SELECT n::text, 'a', 1, jsonb_build_object('user', n) FROM generate_series($1::int, $2::int) n`,
      [from, from + count - 1],
    ),
    database.query(
      `INSERT INTO collection_versions (user_id, collection, version)
       SELECT n::text, 'mocs', 1 FROM generate_series($1::int, $2::int) n`,
      [from, from + count - 1],
    ),
  ]);

const store = (key: string, value: unknown, send = redis.send) =>
  send(['SET', key, JSON.stringify(value), 'EX', '300']);

/** Writes and reads of random users by both backends, until it is ended. @returns how many writes there were. */
function traffic(): { end(): Promise<number> } {
  let ended = false;
  let writes = 0;
  const write = async (number: number) => {
    while (!ended) {
      const path = `/api/users/${Math.floor(Math.random() * CLEAN)}/mocs`;
      const url = number % 2 === 0 ? urls.express : urls.serverless;
      const reply = await ask(url, {
        ...{ method: 'PUT', path: `${path}/b`, body: JSON.stringify({ data: { writes } }) },
        headers: { 'content-type': 'application/json' },
      });
      expect(`${reply.status} ${reply.headers['x-invalidation']}`).toBe('200 done');
      writes += 1;
      await Promise.all(Object.values(urls).map((each) => ask(each, { path })));
    }
  };
  const all = Promise.all(Array.from({ length: WRITERS }, (_, number) => write(number)));
  return {
    async end() {
      ended = true;
      await all;
      return writes;
    },
  };
}

describe('of every entry, while both backends write', () => {
  beforeAll(async () => {
    await insertUsers(0, CLEAN + PLANTED);
    await dispatcher.dispatch();
    for (let user = 0; user < CLEAN; user += 1) void store(placeOf(user), listOf(user));
    // As they were before the first write.
    await Promise.all(planted.map((key) => store(key, { items: [], version: 0 })));
    dispatcher.every(300);
  }, 60_000);

  test('finds each that is stale, and none that is not', async () => {
    const writing = traffic();
    const report = await run();
    expect(await writing.end()).toBeGreaterThan(100);
    expect(report.complete).toBe(true);
    expect(report.stale.map(({ key }) => key).sort()).toEqual([...planted].sort());
    expect(report.audited).toBeGreaterThanOrEqual(CLEAN * 0.9 + PLANTED);
    expect(report.notAudited).toEqual([]);
    expect(await refusalsOf(redis.send)).toEqual([]);
  }, 90_000);

  test('would call writes on their way stale without looking again', async () => {
    const writing = traffic();
    const report = await run({ confirmations: 0 });
    await writing.end();
    const wrong = report.stale.filter(({ key }) => !planted.includes(key));
    expect(wrong).not.toEqual([]);
  }, 90_000);
});
