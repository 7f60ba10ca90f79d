import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace, InvalidKeyError } from '../../../lambda/cache/keyspace.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database, isInTransaction, queryable } from '../../../lambda/database/pool.ts';
import { dispatch } from '../../../lambda/outbox/dispatch.ts';
import { replayOutbox } from '../../../lambda/outbox/replay.ts';
import { createWrites } from '../../../lambda/outbox/writes.ts';
import { gate } from '../../support/gate.ts';
import { QUERY } from '../../support/query-family.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

const KEY = 'mocs:user:1:list';
const families = [...FAMILIES, QUERY];
const keyspace = createKeyspace({ phase: 'isolated', env: 'test', families });

let database: Database;
let send: Send;
let isAway = false;

beforeAll(async () => {
  const [{ url: databaseUrl }, { url: redisUrl }] = await Promise.all([freshDatabase(), ownRedis()]);
  await migrate(databaseUrl, families);
  database = createPool({ url: databaseUrl, applicationName: 'the-writer' });
  const redis = await lookInto(redisUrl);
  send = (command) => (isAway ? Promise.reject(new Error('away')) : redis.send(command));
});
beforeEach(async () => {
  isAway = false;
  await send(['FLUSHALL']);
  await database.query('TRUNCATE mocs, collection_versions');
  await database.query('TRUNCATE cutover_outbox');
});
afterAll(() => database.end());

const cache = () =>
  createCache({ keyspace, store: redisStore(send), epochs: true, inTransaction: isInTransaction });
const writes = () => createWrites({ database, keyspace, cache: cache() });
const dispatched = () => dispatch({ database, keyspace, cache: cache(), retentionSeconds: 900 });
const insert = (db: Pick<Database, 'query'>, user: string, item = 'a') =>
  db.query("INSERT INTO mocs (user_id, item_id, version, data) VALUES ($1, $2, 1, '{}')", [user, item]);

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly by_trigger: boolean;
  readonly writer: string;
  readonly confirmed: boolean;
}
const rows = async () =>
  (
    await database.query<Row>(
      'SELECT kind, name, by_trigger, writer, confirmed_at IS NOT NULL AS confirmed FROM cutover_outbox ORDER BY kind, name',
    )
  ).rows;
const confirmed = async () => {
  while ((await rows()).some((row) => !row.confirmed));
};

describe('withTransaction', () => {
  test('commits the row with the write, invalidates, answers done and confirms', async () => {
    await cache().getOrLoad(KEY, async () => 'old');
    const written = await writes().withTransaction(async (tx) => {
      await insert(tx, '1');
      tx.invalidate(KEY, KEY);
      tx.invalidateTag('all');
      return 'value';
    });
    expect(written).toEqual({ value: 'value', invalidation: 'done' });
    expect(await cache().getOrLoad(KEY, async () => 'new')).toBe('new');
    await confirmed();
    expect(await rows()).toEqual(
      [
        ['key', KEY],
        ['tag', 'all'],
      ].map(([kind, name]) => ({ kind, name, by_trigger: false, writer: 'the-writer', confirmed: true })),
    );
  });

  test('leaves neither write nor row nor invalidation when the work throws', async () => {
    await cache().getOrLoad(KEY, async () => 'old');
    const failing = writes().withTransaction(async (tx) => {
      await insert(tx, '1');
      tx.invalidate(KEY);
      throw new Error('of the work');
    });
    await expect(failing).rejects.toThrow('of the work');
    expect(await rows()).toEqual([]);
    expect(await cache().get(KEY)).toEqual({ outcome: 'hit', value: 'old' });
  });

  test.each(['nobody:1', 'sessions:1', `mocs:user:${'x'.repeat(500)}:list`])(
    'a key that cannot be invalidated undoes the write: %s',
    async (key) => {
      const failing = writes().withTransaction(async (tx) => {
        await insert(tx, '1');
        tx.invalidate(key);
      });
      await expect(failing).rejects.toThrow(InvalidKeyError);
      expect((await database.query('SELECT FROM mocs')).rowCount).toBe(0);
    },
  );

  test('names more keys than one call takes', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => `mocs:user:${index}:list`);
    await send(['SET', `v2:${keys[2400]}`, '"old"']);
    const { invalidation } = await writes().withTransaction(async (tx) => tx.invalidate(...keys));
    expect(invalidation).toBe('done');
    expect(await cache().get(keys[2400] ?? '')).toEqual({ outcome: 'miss' });
  });

  test('answers pending while Redis is away, and the dispatcher makes good for it', async () => {
    await cache().getOrLoad(KEY, async () => 'old');
    isAway = true;
    const { invalidation } = await writes().withTransaction(async (tx) => tx.invalidate(KEY));
    expect(invalidation).toBe('pending');
    expect(await dispatched()).toEqual({ confirmed: 0, pending: true, pruned: 0 });
    isAway = false;
    expect(await cache().get(KEY)).toEqual({ outcome: 'hit', value: 'old' });
    expect(await dispatched()).toEqual({ confirmed: 1, pending: false, pruned: 0 });
    expect(await cache().get(KEY)).toEqual({ outcome: 'miss' });
    expect(await dispatched()).toEqual({ confirmed: 0, pending: false, pruned: 0 });
  });

  test('a read inside it sees its own writes, and keeps them to itself', async () => {
    const count = async () => (await queryable(database).query('SELECT FROM mocs')).rowCount;
    await cache().getOrLoad(KEY, count);
    await writes().withTransaction(async (tx) => {
      await insert(tx, '1');
      expect(await cache().resolve(KEY, count)).toEqual({ value: 1, outcome: 'bypass' });
      expect(await cache().resolve('mocs:user:2:list', count)).toEqual({ value: 1, outcome: 'bypass' });
    });
    expect(await cache().get(KEY)).toEqual({ outcome: 'hit', value: 0 });
    expect(await cache().get('mocs:user:2:list')).toEqual({ outcome: 'miss' });
  });
});

describe('the dispatcher', () => {
  test('makes good for a writer that does not know of the outbox, tags too', async () => {
    await cache().getOrLoad(KEY, async () => 'old');
    await cache().getOrLoad('query:1', async () => 'old', { tags: ['user:1'] });
    await insert(database, '1');
    expect(await dispatched()).toMatchObject({ confirmed: 2, pending: false });
    expect(await cache().getOrLoad(KEY, async () => 'new')).toBe('new');
    expect(await cache().getOrLoad('query:1', async () => 'new', { tags: ['user:1'] })).toBe('new');
  });

  test('confirms more rows than a batch has, and names that no key can have', async () => {
    const odd = 'x'.repeat(600);
    await database.query(
      `INSERT INTO cutover_outbox (kind, name) SELECT 'key', 'mocs:user:' || n || ':list' FROM generate_series(1, 1200) n`,
    );
    await database.query(
      "INSERT INTO cutover_outbox (kind, name) VALUES ('key', $1), ('key', 'sessions:1')",
      [odd],
    );
    await send(['SET', 'sessions:1', 'state']);
    expect(await dispatched()).toEqual({ confirmed: 1202, pending: false, pruned: 0 });
    expect(await send(['GET', 'sessions:1'])).toBe('state');
  });

  test('is not stopped by what a trigger makes of an odd row', async () => {
    await insert(database, 'a\nb');
    await insert(database, 'x'.repeat(600));
    await insert(database, '1');
    await cache().getOrLoad(KEY, async () => 'old');
    expect(await dispatched()).toEqual({ confirmed: 6, pending: false, pruned: 0 });
    expect(await cache().get(KEY)).toEqual({ outcome: 'miss' });
  });

  test('one key that cannot be removed keeps nobody else waiting', async () => {
    await database.query(
      `INSERT INTO cutover_outbox (kind, name) SELECT 'key', 'mocs:user:' || n || ':list' FROM generate_series(1, 300) n`,
    );
    const refusing: Send = (command) =>
      String(command[1]).includes(':user:7:') ? Promise.reject(new Error('NOPERM')) : send(command);
    const others = createCache({ keyspace, store: redisStore(refusing) });
    await send(['SET', 'v2:mocs:user:299:list', '"old"']);
    const report = await dispatch({ database, keyspace, cache: others, retentionSeconds: 900 });
    expect(report).toEqual({ confirmed: 299, pending: true, pruned: 0 });
    expect(await send(['EXISTS', 'v2:mocs:user:299:list'])).toBe(0);
  });

  test('repeats what was confirmed lately, after a replay: perhaps only the server that was left has heard of it', async () => {
    await writes().withTransaction(async (tx) => tx.invalidate(KEY));
    await confirmed();
    await send(['SET', `v2:${KEY}`, '"old"']);
    await dispatched();
    expect(await cache().get(KEY)).toEqual({ outcome: 'hit', value: 'old' });
    await dispatch({ database, keyspace, cache: cache(), retentionSeconds: 900, againSeconds: 60 });
    expect(await cache().get(KEY)).toEqual({ outcome: 'miss' });
  });

  test('keeps confirmed rows for the retention, and those that nobody confirmed for ever', async () => {
    await database.query(
      `INSERT INTO cutover_outbox (kind, name, created_at, confirmed_at) VALUES
       ('key', 'mocs:1', now() - interval '1 day', now() - interval '901 seconds'),
       ('key', 'mocs:2', now() - interval '1 day', now() - interval '890 seconds')`,
    );
    await database.query(
      "INSERT INTO cutover_outbox (kind, name, created_at) VALUES ('key', 'mocs:3', now() - interval '1 day')",
    );
    isAway = true;
    expect(await dispatched()).toEqual({ confirmed: 0, pending: true, pruned: 1 });
    expect((await rows()).map(({ name }) => name)).toEqual(['mocs:2', 'mocs:3']);
  });
});

describe('the replay', () => {
  const replay = (with_ = send) =>
    replayOutbox({
      database,
      keyspace,
      cache: createCache({ keyspace, store: redisStore(with_), epochs: true }),
    });

  test('repeats confirmed rows, too', async () => {
    await writes().withTransaction(async (tx) => tx.invalidate(KEY));
    await confirmed();
    // As a Redis that was restarted from a snapshot brings it back.
    await send(['SET', `v2:${KEY}`, '"old"']);
    expect(await replay()).toBe(true);
    expect(await cache().get(KEY)).toEqual({ outcome: 'miss' });
  });

  test('of many rows names each key once', async () => {
    await database.query(
      `INSERT INTO cutover_outbox (kind, name) SELECT 'key', 'mocs:user:' || n % 10 || ':list' FROM generate_series(1, 5000) n`,
    );
    const counting = jest.fn(send);
    expect(await replay(counting)).toBe(true);
    expect(counting).toHaveBeenCalledTimes(10 * 4 + 10);
  });

  test('runs once at a time, and not at all without Redis', async () => {
    await writes().withTransaction(async (tx) => tx.invalidate(KEY));
    const { held, open } = gate();
    const unlinking = gate();
    const first = replay(async (command) => {
      unlinking.open();
      await held;
      return send(command);
    });
    await unlinking.held;
    expect(await replay()).toBe(false);
    open();
    expect(await first).toBe(true);
    isAway = true;
    expect(await replay()).toBe(false);
  });
});
