import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { createCache } from '../../lambda/cache/cache.ts';
import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import { redisStore } from '../../lambda/cache/redis-store.ts';
import { accessStringsOf } from '../../lambda/contract/access.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import type { Explanation } from '../../lambda/explain/explain.ts';
import { openDispatcher } from '../../lambda/outbox/dispatcher.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { explainCommand } from '../../scripts/explain.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

const KEY = 'mocs:user:1:list';
const FENCE = `cutover:lease:{${KEY}}:${KEY}`;

let url: string;
let redis: RedisConnection;
let databaseUrl: string;
let database: pg.Pool;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
  ({ url: databaseUrl } = await freshDatabase());
  await migrate(databaseUrl);
  database = createPool({ url: databaseUrl, applicationName: 'a-script', maxConnections: 1 });
});

afterAll(() => database.end());

beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  await database.query('TRUNCATE cutover_outbox');
});

async function explained(key = KEY, args: readonly string[] = [], environment: Record<string, string> = {}) {
  const variables = { REDIS_URL: url, DATABASE_URL: databaseUrl, NODE_ENV: 'test', ...environment };
  const { exitCode, stdout, stderr } = await cutover(['explain', key, '--json', ...args], variables);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout) as Explanation;
}

test('says where a key stands, how large it is and for how long, and where each phase reads it', async () => {
  await redis.send(['SET', KEY, '["one"]', 'PX', '60000']);
  await redis.send(['SET', `v2:${KEY}`, 'null']);
  await redis.send(['SADD', `cw:test:${KEY}`, 'member']);
  await redis.send(['SET', FENCE, '\u0000lease:1', 'PX', '5000']);
  const { places, lease, readAt, family, ttlSeconds, kind } = await explained();
  expect({ family, ttlSeconds, kind }).toEqual({ family: 'mocs', ttlSeconds: 300, kind: 'cache' });
  expect(places).toEqual([
    { key: KEY, kind: 'value', type: 'string', bytes: 7, ttlMs: expect.any(Number) },
    { key: `v2:${KEY}`, kind: 'nothing', type: 'string', bytes: 4, ttlMs: null },
    { key: `cw:test:${KEY}`, kind: 'collection', type: 'set', ttlMs: null },
  ]);
  expect(places[0]?.ttlMs).toBeGreaterThan(0);
  expect(lease).toMatchObject({ key: FENCE, kind: 'lease', ttlMs: expect.any(Number) });
  const cw = `cw:test:${KEY}`;
  expect(readAt).toEqual({ legacy: KEY, isolated: `v2:${KEY}`, dual: cw, prefixed: cw });
});

test('values are told where they are asked for, and never those of state', async () => {
  const session = 'sessions:1';
  await redis.send(['MSET', KEY, '"secret-list"', session, '"secret-session"']);
  expect(JSON.stringify(await explained())).not.toContain('secret');
  expect((await explained(KEY, ['--show-value'])).places[0]?.value).toBe('"secret-list"');
  expect(JSON.stringify(await explained(session, ['--show-value']))).not.toContain('secret');
});

test('of a tagged entry it compares each epoch with the one now', async () => {
  const keyspace = createKeyspace({ phase: 'isolated', env: 'test' });
  const cache = createCache({ keyspace, store: redisStore(redis.send), epochs: true });
  const key = 'query_cache:1';
  await cache.getOrLoad(key, async () => 1, { tags: ['user:1', 'team:2'] });
  const before = await explained(key);
  expect(before.places[1]).toMatchObject({ kind: 'tagged', epochs: { 'user:1': expect.any(String) } });
  expect(before.tags).toEqual(
    ['user:1', 'team:2'].map((tag) => ({
      ...{ tag, epoch: expect.any(String), equalAt: [`v2:${key}`], outdatedAt: [] },
    })),
  );
  await cache.invalidateTag('team:2');
  const after = await explained(key);
  expect(after.tags[1]).toMatchObject({ tag: 'team:2', equalAt: [], outdatedAt: [`v2:${key}`] });
  expect(after.reasons).toContainEqual(expect.stringContaining(`v2:${key} was loaded under an older epoch`));
});

describe('why was this read old?', () => {
  const write = () =>
    database.query(
      "INSERT INTO mocs (user_id, item_id, version, data) VALUES ('1', gen_random_uuid()::text, 1, '{}')",
    );

  test('a write that a trigger has reported and nobody confirmed; then who confirmed it, and how late', async () => {
    await write();
    const pending = await explained();
    expect(pending.outbox).toEqual([
      {
        ...{ id: expect.any(String), kind: 'key', name: KEY, writer: 'a-script', byTrigger: true },
        ...{ writtenAt: expect.any(String), confirmedAt: null },
      },
    ]);
    expect(pending.reasons).toEqual([
      expect.stringMatching(
        /^The write of a-script at .* is not confirmed for [\d.]+ s: until the dispatcher/,
      ),
    ]);
    const quiet = { info() {}, warn() {}, error() {} };
    const environment = { REDIS_URL: url, DATABASE_URL: databaseUrl, NODE_ENV: 'test' };
    const dispatcher = await openDispatcher(environment, quiet);
    expect(await dispatcher.dispatch()).toMatchObject({ confirmed: 1 });
    await dispatcher.close();
    const { outbox, reasons, replayed } = await explained();
    expect(outbox?.[0]?.confirmedAt).toEqual(expect.any(String));
    expect(reasons).toEqual([
      expect.stringMatching(/^a-script changed the row at .*Does a-script run the mirror\?$/),
    ]);
    expect(replayed).toEqual([expect.objectContaining({ isCurrent: true })]);
  });

  test('an entry that is older than a confirmed write', async () => {
    await write();
    await database.query('UPDATE cutover_outbox SET confirmed_at = now()');
    await redis.send(['SET', `v2:${KEY}`, '1', 'EX', '200']);
    await redis.send(['SET', KEY, '1', 'EX', '299']);
    const { reasons } = await explained();
    const survivors = reasons.filter((reason) => reason.includes('it should have gone with that'));
    // Of the other one nobody can say that it was filled before.
    expect(survivors).toEqual([
      expect.stringMatching(/^v2:mocs:user:1:list was, if its TTL was the family’s, filled before/),
    ]);
  });

  test('a Redis that the outbox was not replayed to', async () => {
    await redis.send(['SET', 'cutover:replayed', 'another:life']);
    const { replayed, reasons } = await explained();
    expect(replayed).toEqual([
      { mark: 'another:life', life: expect.stringMatching(/^\w+:\w+$/), isCurrent: false },
    ]);
    expect(reasons[0]).toMatch(/^This Redis was restarted or failed over/);
  });

  test('a key that never expires, and two places that differ', async () => {
    await redis.send(['MSET', KEY, '1', `v2:${KEY}`, '2']);
    const { reasons } = await explained();
    expect(reasons).toEqual([
      expect.stringMatching(/^mocs:user:1:list never expires/),
      expect.stringMatching(/^v2:mocs:user:1:list never expires/),
      expect.stringMatching(/^Two places hold different values/),
      expect.stringMatching(/^No write named it in the last 15 minutes/),
    ]);
  });

  test('nothing is there, and nothing was written', async () => {
    expect((await explained()).reasons).toEqual([
      'Nothing is cached under this key, and no write named it in the last 15 minutes: a read of now comes from the database.',
    ]);
  });

  test('without a database it says so', async () => {
    const { outbox, reasons } = await explained(KEY, [], { DATABASE_URL: '' });
    expect(outbox).toBeUndefined();
    expect(reasons).toEqual([
      expect.stringMatching(/^The outbox could not be asked: explain: DATABASE_URL is not set/),
    ]);
  });
});

test('as the user that is deployed it says the same, but for the kind of a collection', async () => {
  await redis.send(['SET', `v2:${KEY}`, '"x"', 'EX', '60']);
  await redis.send(['SADD', KEY, 'member']);
  const rules = accessStringsOf({ phase: 'isolated', env: 'test' }).serverless.split(' ');
  await redis.send(['ACL', 'SETUSER', 'serverless', 'reset', '>secret', ...rules]);
  const { places } = await explained(KEY, [], { REDIS_URL: url.replace('//', '//serverless:secret@') });
  expect(places).toEqual([
    { key: KEY, kind: 'collection', type: 'not a string', ttlMs: null },
    { key: `v2:${KEY}`, kind: 'value', type: 'string', bytes: 3, ttlMs: expect.any(Number) },
    { key: `cw:test:${KEY}` },
  ]);
});

test('tells a person in tables', async () => {
  await redis.send(['SET', `v2:${KEY}`, '"x"', 'EX', '60']);
  const { exitCode, stdout } = await cutover(['explain', KEY, '--show-value'], {
    ...{ REDIS_URL: url, DATABASE_URL: databaseUrl, NODE_ENV: 'test' },
  });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^mocs:user:1:list {2}family mocs, cache, filled for 5 min$/m);
  expect(stdout).toMatch(/^v2:mocs:user:1:list +value +\S+ (s|min) +3 B +isolated$/m);
  expect(stdout).toMatch(/^ {2}v2:mocs:user:1:list {2}"x"$/m);
  expect(stdout).toMatch(/^why was this read old\?\n- /m);
});

test.each([
  ['v2:mocs:1', {}, 2, /it carries a namespace; name the logical key/],
  ['jobs:1', {}, 2, /it is of no family/],
  [KEY, { REDIS_URL: '' }, 2, /^explain: REDIS_URL is not set/],
  [KEY, { REDIS_URL: 'redis://127.0.0.1:1' }, 1, /^redis: no connection/],
])('%s with %j: exit code %d', async (key, environment, exitCode, message) => {
  const ended = await cutover(['explain', key], { REDIS_URL: url, NODE_ENV: 'test', ...environment });
  expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode, stdout: '' });
  expect(ended.stderr).toMatch(message);
});

test('--help says what there is', () => {
  const help = helpOf(explainCommand);
  for (const phrase of ['<key>', '--show-value', '--json', '--stage <name>', 'Exit codes: 0 explained']) {
    expect(help).toContain(phrase);
  }
});
