import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { deleteItem, NOT_FOUND, putItem, readList } from '../../../lambda/collections/repository.ts';
import type { ItemList, Owner } from '../../../lambda/collections/schema.ts';
import { COLLECTIONS } from '../../../lambda/contract/families.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database, withTransaction } from '../../../lambda/database/pool.ts';
import { freshDatabase } from '../../support/servers.ts';

let database: Database;
let owner: Owner;
let users = 0;

beforeAll(async () => {
  const { url } = await freshDatabase();
  await migrate(url);
  database = createPool({ url, applicationName: 'test' });
});

afterAll(() => database.end());

beforeEach(() => {
  users += 1;
  owner = { userId: `user-${users}`, collection: 'mocs' };
});

const put = (id: string, data: ItemList['items'][number]['data'] = {}, of = owner) =>
  withTransaction(database, (tx) => putItem(tx, of, { id, data }));
const remove = (id: string, of = owner) => withTransaction(database, (tx) => deleteItem(tx, of, id));

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const ascending = (values: readonly unknown[]) => values.map(Number).sort((a, b) => a - b);

describe('putItem and deleteItem', () => {
  test('count the changes of each user and collection apart', async () => {
    const others: Owner[] = [
      ...COLLECTIONS.slice(1).map((collection) => ({ ...owner, collection })),
      { ...owner, userId: `${owner.userId}0` },
    ];
    expect([await put('a'), await put('b'), await remove('a'), await put('a')]).toEqual([1, 2, 3, 4]);
    for (const other of others) expect(await put('a', {}, other)).toBe(1);
    expect(await readList(database, owner)).toMatchObject({ version: 4 });
  });

  test('store what they are given, whatever its characters', async () => {
    const odd: Owner = { ...owner, userId: `${owner.userId}'; DROP TABLE mocs; --` };
    const data = { "'": '"', 'ü😀': [null, 1.5, { a: '\u2028' }], __proto__: 1 };
    await put('"\'$1', data, odd);
    expect(await readList(database, odd)).toEqual({ items: [{ id: '"\'$1', version: 1, data }], version: 1 });
  });

  test('an item has the version of its last change, the list that of the last of all', async () => {
    for (const id of ['b', 'a', 'b', 'c']) await put(id);
    await remove('c');
    const { items, version } = await readList(database, owner);
    expect(items.map((item) => [item.id, item.version])).toEqual([
      ['a', 2],
      ['b', 3],
    ]);
    expect(version).toBe(5);
  });

  test('a delete of what is not there changes nothing', async () => {
    expect(await remove('a')).toBe(NOT_FOUND);
    const { rowCount } = await database.query('SELECT FROM collection_versions WHERE user_id = $1', [
      owner.userId,
    ]);
    expect(rowCount).toBe(0);

    await put('a');
    expect(await remove('b')).toBe(NOT_FOUND);
    expect(await remove('a', { ...owner, collection: 'albums' })).toBe(NOT_FOUND);
    expect(await readList(database, owner)).toEqual({
      items: [{ id: 'a', version: 1, data: {} }],
      version: 1,
    });
  });

  test('50 at once take turns: no version twice, none left out', async () => {
    const versions = await Promise.all(upTo(50).map((each) => put(`item-${each % 7}`)));
    expect(ascending(versions)).toEqual(upTo(50));
    expect((await readList(database, owner)).version).toBe(50);
  });

  test('puts and deletes of one item at once do not wait for each other for ever', async () => {
    await put('a');
    const answers = await Promise.all(upTo(120).map((each) => (each % 2 ? put('a') : remove('a'))));
    const changes = answers.filter((answer) => answer !== NOT_FOUND);
    expect(ascending(changes)).toEqual(upTo(changes.length + 1).slice(1));
    expect((await readList(database, owner)).version).toBe(changes.length + 1);
  });

  test('a put that fails leaves neither an item nor a version', async () => {
    await put('a');
    await expect(put('b', { text: '\u0000' })).rejects.toThrow('unsupported Unicode escape sequence');
    expect(await readList(database, owner)).toEqual({
      items: [{ id: 'a', version: 1, data: {} }],
      version: 1,
    });
  });
});

describe('readList', () => {
  /** A database on which somebody stores an item after the first answer of each query. */
  const interrupted = (): Database => {
    let asked = 0;
    const query = async (...args: Parameters<Database['query']>) => {
      const answer = await database.query(...args);
      asked += 1;
      if (asked === 1) await put('between');
      return answer;
    };
    return { query } as unknown as Database;
  };

  test('is of one moment, even when a write comes between', async () => {
    await put('a');
    expect(await readList(interrupted(), owner)).toEqual({
      items: [{ id: 'a', version: 1, data: {} }],
      version: 1,
    });
  });

  test('which two statements are not', async () => {
    await put('a');
    const naive = async (db: Database) => {
      const versions = await db.query('SELECT version FROM collection_versions WHERE user_id = $1', [
        owner.userId,
      ]);
      const items = await db.query('SELECT item_id AS id FROM mocs WHERE user_id = $1', [owner.userId]);
      return { items: items.rows.length, version: versions.rows[0]?.version };
    };
    expect(await naive(interrupted())).toEqual({ items: 2, version: 1 });
  });

  test('never shows a version whose items it does not show', async () => {
    const writing = (async () => {
      for (const each of upTo(40)) await put(`item-${each}`);
    })();
    const seen: ItemList[] = [];
    while ((seen.at(-1)?.version ?? 0) < 40) seen.push(await readList(database, owner));
    await writing;
    expect(seen.filter(({ items, version }) => items.length !== version)).toEqual([]);
    expect(new Set(seen.map(({ version }) => version)).size).toBeGreaterThan(5);
  });
});
