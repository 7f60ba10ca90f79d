import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type AuditOptions, type AuditReport, audit } from '../../../lambda/audit/audit.ts';
import { KEY_READERS, type KeyReader } from '../../../lambda/audit/loaders.ts';
import { openAuditor } from '../../../lambda/audit/open-auditor.ts';
import { inTurns } from '../../../lambda/audit/turns.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { FAMILIES, type Family, sourcesOf } from '../../../lambda/contract/families.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import { type Dispatcher, openDispatcher } from '../../../lambda/outbox/dispatcher.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { createRedisUsers, refusalsOf } from '../../../rehearsal/redis-users.ts';
import { twoBackends } from '../../support/backends.ts';
import { gate } from '../../support/gate.ts';
import { ask } from '../../support/http.ts';
import { lookInto } from '../../support/redis.ts';

const CLEAN = 11_000;
/** Of these so many are still there when they are looked at: some are removed by writes, and filled elsewhere. */
const CLEAN_AT_LEAST = 10_000;
const PLANTED = 100;
const WRITERS = 3;
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
  afterAll(() => dispatcher.close());

  test('finds each that is stale, and none that is not', async () => {
    const writing = traffic();
    const report = await run();
    expect(await writing.end()).toBeGreaterThan(100);
    expect(report.complete).toBe(true);
    expect(report.stale.map(({ key }) => key).sort()).toEqual([...planted].sort());
    expect(report.audited).toBeGreaterThanOrEqual(CLEAN_AT_LEAST + PLANTED);
    expect(report.notAudited).toEqual([]);
    // The name of the connection is for people.
    const refusals = await refusalsOf(redis.send);
    expect(refusals.filter((each) => !each.includes('client|setname'))).toEqual([]);
  }, 90_000);

  test('would call writes on their way stale without looking again', async () => {
    const writing = traffic();
    const report = await run({ confirmations: 0, sample: 2000 });
    await writing.end();
    const wrong = report.stale.filter(({ key }) => !planted.includes(key));
    expect(wrong).not.toEqual([]);
  }, 90_000);
});

describe('of a few entries', () => {
  const KEY = 'v2:mocs:user:1:list';
  const FENCE = 'cutover:lease:{mocs:user:1:list}:mocs:user:1:list';
  const OLD = { items: [], version: 0 };

  beforeEach(async () => {
    await redis.send(['FLUSHALL']);
    await database.query(
      'TRUNCATE mocs, collection_versions, feature_flags, feature_flag_overrides, cutover_outbox',
    );
    await insertUsers(1, 3);
    await database.query('TRUNCATE cutover_outbox');
  });
  const found = async (options: Partial<AuditOptions> = {}) => {
    const { audited, stale, classes } = await run({ pauseMs: 50, ...options });
    const sum = (of: 'pending' | 'unsettled') => classes.reduce((total, each) => total + each[of], 0);
    return {
      audited,
      stale: stale.map(({ key }) => key),
      pending: sum('pending'),
      unsettled: sum('unsettled'),
    };
  };
  const NOTHING = { audited: 0, stale: [], pending: 0, unsettled: 0 };

  test('says how old a stale one is, and of which family and namespace', async () => {
    await redis.send(['SET', KEY, JSON.stringify(OLD), 'EX', '260']);
    const { stale, classes } = await run({ pauseMs: 10 });
    expect(stale).toEqual([{ family: 'mocs', namespace: 'v2:', ageSeconds: expect.any(Number), key: KEY }]);
    expect(stale[0]?.ageSeconds).toBeGreaterThanOrEqual(40);
    expect(stale[0]?.ageSeconds).toBeLessThan(60);
    expect(classes).toEqual([
      { family: 'mocs', namespace: 'v2:', audited: 1, stale: 1, pending: 0, unsettled: 0 },
    ]);
  });

  test('one that the outbox has yet to forget is pending', async () => {
    await store(KEY, OLD);
    await database.query("INSERT INTO cutover_outbox (kind, name) VALUES ('key', 'mocs:user:1:list')");
    expect(await found()).toEqual({ ...NOTHING, audited: 1, pending: 1 });
    await database.query('UPDATE cutover_outbox SET confirmed_at = now()');
    expect(await found()).toEqual({ ...NOTHING, audited: 1, stale: [KEY] });
  });

  test('one whose lease is held is not settled', async () => {
    await store(KEY, OLD);
    await redis.send(['SET', FENCE, '\u0000lease:x:1', 'PX', '6000']);
    expect(await found()).toEqual({ ...NOTHING, audited: 1, unsettled: 1 });
  });

  test('one that is removed, replaced or right at the second look is none', async () => {
    const changes: ((key: string) => Promise<unknown>)[] = [
      (key) => redis.send(['UNLINK', key]),
      (key) => store(key, listOf(1)),
      () =>
        database.query(
          "DELETE FROM mocs WHERE user_id = '1'; DELETE FROM collection_versions WHERE user_id = '1'",
        ),
    ];
    for (const change of changes) {
      await store(KEY, OLD);
      const { held, open } = gate();
      const mocs: KeyReader = (key, env) => {
        const reader = KEY_READERS['mocs']?.(key, env);
        return reader && { load: (db) => reader.load(db).finally(open) };
      };
      const auditing = found({ keyReaders: { mocs }, pauseMs: 300 });
      await held;
      await change(KEY);
      expect(await auditing).toEqual({ ...NOTHING, audited: 1 });
    }
  });

  test('a row that changes at each look is not settled', async () => {
    await store(KEY, OLD);
    let looks = 0;
    const reader = { load: async () => ({ looks: ++looks }) };
    expect(await found({ keyReaders: { mocs: () => reader } })).toEqual({
      ...NOTHING,
      audited: 1,
      unsettled: 1,
    });
    expect(looks).toBe(6);
  });

  test('leases, tagged entries, other types, other shapes and bytes that are no JSON are none', async () => {
    await redis.send(['SET', KEY, '\u0000lease:x:1']);
    await redis.send(['SET', 'v2:mocs:user:2:list', '\u0001{"user:2":"epoch"}\n{}']);
    await redis.send(['SADD', 'mocs:user:3:list', 'member']);
    await redis.send(['SET', 'mocs:user:2:list', 'no JSON']);
    await redis.send(['SET', 'flag:beta', '{"on":true}']);
    await redis.send(['SET', 'mocs:latest', '{}']);
    await redis.send(['SET', 'query_cache:1', '{}']);
    await redis.send(['SET', 'sessions:1', '{}']);
    expect(await found()).toEqual(NOTHING);
  });

  test('flags, the set of them, what differs for a user, and that there is none', async () => {
    await database.query(
      `INSERT INTO feature_flags (environment, flag_key, enabled, updated_by) VALUES ('test', 'beta', true, 'ada');
       INSERT INTO feature_flag_overrides (environment, flag_key, user_id, enabled, updated_by)
       VALUES ('test', 'beta', '7', false, 'ada')`,
    );
    const flagKeys = ['feature_flags:test', 'flag:beta', 'flag:beta:user:7', 'flag:beta:user:8', 'flag:none'];
    const keys = flagKeys.map((key) => `v2:${key}`);
    for (const key of flagKeys) {
      const row = await KEY_READERS[key.split(':')[0] ?? '']?.(key, 'test')?.load(database);
      await store(`v2:${key}`, row);
    }
    expect(await found()).toEqual({ ...NOTHING, audited: 5 });
    await database.query(
      `UPDATE feature_flags SET enabled = false; UPDATE feature_flag_overrides SET enabled = true;
       INSERT INTO feature_flags (environment, flag_key, enabled, updated_by) VALUES ('test', 'none', true, 'ada');
       INSERT INTO feature_flag_overrides (environment, flag_key, user_id, enabled, updated_by)
       VALUES ('test', 'beta', '8', false, 'ada');
       TRUNCATE cutover_outbox`,
    );
    const after = await found();
    expect({ ...after, stale: [...after.stale].sort() }).toEqual({
      ...NOTHING,
      audited: 5,
      stale: keys.sort(),
    });
  });

  test('a sample is so many of each family in each namespace', async () => {
    await insertUsers(10, 200);
    await database.query('TRUNCATE cutover_outbox');
    for (let user = 10; user < 210; user += 1) await store(`v2:mocs:user:${user}:list`, listOf(user));
    for (let user = 10; user < 13; user += 1) await store(`mocs:user:${user}:list`, listOf(user));
    const { audited, classes, complete } = await run({ sample: 7 });
    expect({ audited, complete }).toEqual({ audited: 10, complete: true });
    expect(classes.map(({ namespace, audited: each }) => [namespace, each])).toEqual([
      ['', 3],
      ['v2:', 7],
    ]);
  });

  test('a family that nobody has said the reads of is reported, not audited', async () => {
    await store(KEY, OLD);
    const { mocs: _mocs, ...keyReaders } = KEY_READERS;
    expect(await run({ keyReaders })).toMatchObject({ audited: 0, stale: [], notAudited: ['mocs'] });
  });

  test('a Redis of another environment is refused', async () => {
    await redis.send(['SET', 'cutover:env', 'production']);
    await expect(run()).rejects.toThrow(/^audit: NODE_ENV=test.*production/);
  });

  test('a database that is away fails the audit', async () => {
    await store(KEY, OLD);
    const query = () => Promise.reject(new Error('away'));
    await expect(run({ database: { query } as never })).rejects.toThrow('away');
  });
});

test('every family with a source table has a reader', () => {
  const sourced = (families: readonly Family[]) =>
    families.filter((each) => sourcesOf(each).length > 0).map(({ name }) => name);
  expect(Object.keys(KEY_READERS).sort()).toEqual(sourced(FAMILIES).sort());
});

test('a Redis that may have forgotten invalidations is not audited: nobody reads it', async () => {
  await redis.send(['SET', 'cutover:replayed', 'another:life']);
  const environment = { NODE_ENV: 'test', REDIS_URL: asAuditor.url, DATABASE_URL: databaseUrl };
  const auditor = await openAuditor(environment, SILENT);
  await store('v2:mocs:user:1:list', { items: [], version: 0 });
  await expect(auditor.audit({ sample: 'all' })).rejects.toThrow('not replayed yet');
  await auditor.close();
});
