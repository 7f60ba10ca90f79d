import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { FAMILIES, type Family } from '../../../lambda/contract/families.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database, type Queryable } from '../../../lambda/database/pool.ts';
import { installTriggers } from '../../../lambda/database/triggers.ts';
import { QUERY } from '../../support/query-family.ts';
import { freshDatabase } from '../../support/servers.ts';

const families = [...FAMILIES, QUERY];
const family = (table: string, column = 'user_id'): Family => ({
  name: 'fam',
  kind: 'cache',
  onFlush: 'flush',
  ttlSeconds: 60,
  source: { table, keyTemplate: `fam:{${column}}` },
});

let url: string;
let database: Database;

beforeAll(async () => {
  ({ url } = await freshDatabase());
  await migrate(url, []);
  database = createPool({ url, applicationName: 'the-writer' });
});
beforeEach(() => database.query('TRUNCATE cutover_outbox'));
afterAll(() => database.end());

/** What was reported since the last call. */
const reported = async () => {
  const { rows } = await database.query<{ name: string }>(
    'WITH all_rows AS (DELETE FROM cutover_outbox RETURNING name) SELECT name FROM all_rows ORDER BY name',
  );
  return rows.map(({ name }) => name);
};

/** A table of its own for each test, so that none sees the triggers of another. */
async function withTable(definition: string, work: (table: string) => Promise<void>, table = 'odd') {
  await database.query(`CREATE TABLE ${table} ${definition}`);
  try {
    await work(table);
  } finally {
    await database.query(`DROP TABLE ${table} CASCADE`);
  }
}

describe('a writer that does not know of the outbox', () => {
  beforeAll(() => installTriggers(database, families));
  afterAll(() => installTriggers(database, []));
  beforeEach(async () => {
    await database.query('TRUNCATE mocs');
    await database.query('TRUNCATE cutover_outbox');
  });

  const insert = (db: Queryable, user: string, item = 'a') =>
    db.query("INSERT INTO mocs (user_id, item_id, version, data) VALUES ($1, $2, 1, '{}')", [user, item]);
  const of = (...users: string[]) => [
    ...users.map((user) => `mocs:user:${user}:list`),
    ...users.map((user) => `user:${user}`),
  ];

  test('leaves keys and tags of what it inserts, updates and deletes, once each', async () => {
    await insert(database, '1');
    expect(await reported()).toEqual(of('1'));
    await database.query("UPDATE mocs SET user_id = '2'");
    expect(await reported()).toEqual(of('1', '2'));
    await database.query("UPDATE mocs SET data = '[]'");
    expect(await reported()).toEqual(of('2'));
    await database.query('DELETE FROM mocs');
    expect(await reported()).toEqual(of('2'));
  });

  test('is named, with what is a key and what a tag', async () => {
    await insert(database, '1');
    const { rows } = await database.query(
      'SELECT kind, name, writer, by_trigger, source_table FROM cutover_outbox ORDER BY kind',
    );
    const common = { writer: 'the-writer', by_trigger: true, source_table: 'mocs' };
    expect(rows).toEqual([
      { kind: 'key', name: 'mocs:user:1:list', ...common },
      { kind: 'tag', name: 'user:1', ...common },
    ]);
  });

  test('leaves those of every row when it truncates the table', async () => {
    await insert(database, '1', 'a');
    await insert(database, '1', 'b');
    await insert(database, '2', 'a');
    await reported();
    await database.query('TRUNCATE mocs');
    expect(await reported()).toEqual(of('1', '2'));
  });

  test('needs no right on the outbox', async () => {
    await database.query('DROP ROLE IF EXISTS plain_writer');
    await database.query('CREATE ROLE plain_writer');
    await database.query('GRANT INSERT ON mocs TO plain_writer');
    const connection = await database.connect();
    try {
      await connection.query('SET ROLE plain_writer');
      await insert(connection, '7');
      await expect(connection.query('SELECT FROM cutover_outbox')).rejects.toThrow('permission denied');
    } finally {
      await connection.query('RESET ROLE');
      await connection.query('REVOKE ALL ON mocs FROM plain_writer; DROP ROLE plain_writer');
      connection.release();
    }
    expect(await reported()).toEqual(of('7'));
  });

  test('leaves nothing when it rolls back', async () => {
    const connection = await database.connect();
    await connection.query('BEGIN');
    await insert(connection, '1');
    await connection.query('ROLLBACK');
    connection.release();
    expect(await reported()).toEqual([]);
  });
});

describe('the names', () => {
  test.each([
    ["SET DateStyle = 'German'", 'date', '2026-11-20', '2026-11-20'],
    ["SET TimeZone = 'Asia/Tokyo'", 'timestamptz', '2026-11-20 00:00:00Z', '2026-11-20 00:00:00+00'],
    ["SET IntervalStyle = 'iso_8601'", 'interval', '1 day', '1 day'],
    ["SET bytea_output = 'escape'", 'bytea', '\\x6162', '\\x6162'],
    ['SET extra_float_digits = 0', 'float8', '0.30000000000000004', '0.30000000000000004'],
  ])('are the same after the writer said %s', async (setting, type, value, text) => {
    await withTable(`(user_id ${type})`, async (table) => {
      await installTriggers(database, [family(table)]);
      const connection = await database.connect();
      await connection.query(setting);
      await connection.query(`INSERT INTO ${table} VALUES ($1)`, [value]);
      await connection.query(`TRUNCATE ${table}`);
      connection.release(true);
      expect(await reported()).toEqual([`fam:${text}`, `fam:${text}`]);
    });
  });

  test('hold what SQL could take for its own', async () => {
    await withTable('(user_id text)', async (table) => {
      const keyTemplate = `it's %s "$1" \\ $$ {user_id}`;
      await installTriggers(database, [{ ...family(table), source: { table, keyTemplate } }]);
      await database.query(`INSERT INTO ${table} VALUES ('1')`);
      await database.query(`TRUNCATE ${table}`);
      const name = `it's %s "$1" \\ $$ 1`;
      expect(await reported()).toEqual([name, name]);
    });
  });

  test.each(['t'.repeat(63), '"Odd ""table"" named $$"'])(
    'come from a table that is called %s',
    async (name) => {
      await withTable(
        '(user_id text)',
        async (table) => {
          const relname = table.startsWith('"') ? table.slice(1, -1).replaceAll('""', '"') : table;
          await installTriggers(database, [family(relname)]);
          await database.query(`INSERT INTO ${table} VALUES ('1')`);
          expect(await reported()).toEqual(['fam:1']);
          await database.query(`TRUNCATE ${table}`);
          expect(await reported()).toEqual(['fam:1']);
        },
        name,
      );
    },
  );
});

describe('a partitioned table', () => {
  const withPartitions = (work: () => Promise<void>) =>
    withTable(
      '(user_id text) PARTITION BY LIST (user_id)',
      async () => {
        await database.query(
          `CREATE TABLE part_1 PARTITION OF part FOR VALUES IN ('1');
           CREATE TABLE part_2 PARTITION OF part FOR VALUES IN ('2', '3') PARTITION BY LIST (user_id);
           CREATE TABLE part_2_2 PARTITION OF part_2 FOR VALUES IN ('2')`,
        );
        await installTriggers(database, [family('part')]);
        await database.query("INSERT INTO part VALUES ('1'), ('2')");
        expect(await reported()).toEqual(['fam:1', 'fam:2']);
        await work();
      },
      'part',
    );

  test('is installed again, and gives its triggers back', async () => {
    await withPartitions(async () => {
      await installTriggers(database, [family('part')]);
      // Moves the table's trigger behind those of its partitions in the catalog, which cannot go before it.
      await database.query('ALTER TABLE ONLY part ENABLE ALWAYS TRIGGER cutover_outbox_rows');
      await installTriggers(database, []);
      await database.query('TRUNCATE part_1');
      await database.query('DELETE FROM part');
      expect(await reported()).toEqual([]);
    });
  });

  test('reports the TRUNCATE of a partition, and no other rows', async () => {
    await withPartitions(async () => {
      await database.query('TRUNCATE part_1');
      expect(await reported()).toEqual(['fam:1']);
      await database.query('TRUNCATE part_2');
      expect(new Set(await reported())).toEqual(new Set(['fam:2']));
    });
  });

  test('reports that of a partition that came later, once installed again', async () => {
    await withPartitions(async () => {
      await database.query("CREATE TABLE part_2_3 PARTITION OF part_2 FOR VALUES IN ('3')");
      await installTriggers(database, [family('part')]);
      await database.query("INSERT INTO part VALUES ('3')");
      expect(await reported()).toEqual(['fam:3']);
      await database.query('TRUNCATE part_2_3');
      expect(await reported()).toEqual(['fam:3']);
    });
  });

  test('reports its own TRUNCATE with the partitions that came since', async () => {
    await withPartitions(async () => {
      await database.query("CREATE TABLE part_2_3 PARTITION OF part_2 FOR VALUES IN ('3')");
      await database.query("INSERT INTO part VALUES ('3')");
      await reported();
      await database.query('TRUNCATE part');
      expect(new Set(await reported())).toEqual(new Set(['fam:1', 'fam:2', 'fam:3']));
    });
  });

  test('does not keep the trigger of a partition that has left it', async () => {
    await withPartitions(async () => {
      await database.query('ALTER TABLE part DETACH PARTITION part_1');
      await installTriggers(database, [family('part')]);
      await database.query('TRUNCATE part_1');
      await database.query('DROP TABLE part_1');
      expect(await reported()).toEqual([]);
    });
  });

  test('gets back what was disabled on a partition', async () => {
    await withPartitions(async () => {
      await database.query('ALTER TABLE part_1 DISABLE TRIGGER ALL');
      await installTriggers(database, [family('part')]);
      await database.query("INSERT INTO part VALUES ('1')");
      expect(await reported()).toEqual(['fam:1']);
      await database.query('TRUNCATE part_1');
      expect(await reported()).toEqual(['fam:1']);
    });
  });
});

describe('installed again', () => {
  test.each([
    'DROP TRIGGER cutover_outbox_rows ON odd',
    'DROP TRIGGER cutover_outbox_truncate ON odd',
    'ALTER TABLE odd DISABLE TRIGGER ALL',
    'ALTER TABLE odd DISABLE TRIGGER cutover_outbox_truncate',
    'ALTER TABLE odd ENABLE REPLICA TRIGGER cutover_outbox_rows',
  ])('they report after %s', async (damage) => {
    await withTable('(user_id text)', async (table) => {
      await installTriggers(database, [family(table)]);
      await database.query(damage);
      await installTriggers(database, [family(table)]);
      await database.query("INSERT INTO odd VALUES ('1')");
      expect(await reported()).toEqual(['fam:1']);
      await database.query('TRUNCATE odd');
      expect(await reported()).toEqual(['fam:1']);
    });
  });

  test('they report for a table and a column that were renamed', async () => {
    await withTable('(user_id text)', async () => {
      await installTriggers(database, [family('odd')]);
      await database.query('ALTER TABLE odd RENAME TO renamed; ALTER TABLE renamed RENAME user_id TO owner');
      await installTriggers(database, [family('renamed', 'owner')]);
      await database.query("INSERT INTO renamed VALUES ('1')");
      expect(await reported()).toEqual(['fam:1']);
      await database.query('ALTER TABLE renamed RENAME TO odd');
    });
  });

  test('those that stand are left alone: nobody is waited for, and ALWAYS stays', async () => {
    await withTable('(user_id text)', async (table) => {
      await installTriggers(database, [family(table)]);
      await database.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER cutover_outbox_rows`);
      const triggers = () => database.query("SELECT xmin, * FROM pg_trigger WHERE tgname LIKE 'cutover%'");
      const before = (await triggers()).rows;
      const busy = await database.connect();
      await busy.query(`BEGIN; INSERT INTO ${table} VALUES ('1')`);
      await installTriggers(database, [family(table)], { attempts: 1 });
      await busy.query('ROLLBACK');
      busy.release();
      expect((await triggers()).rows).toEqual(before);
    });
  });

  test('those of a table that the registry no longer names go, and come back', async () => {
    const triggered = async (registry: readonly Family[]) => {
      await installTriggers(database, registry);
      const { rows } = await database.query<{ table: string }>(
        "SELECT DISTINCT tgrelid::regclass::text AS table FROM pg_trigger WHERE tgname LIKE 'cutover%' ORDER BY 1",
      );
      return rows.map(({ table }) => table);
    };
    const all = ['albums', 'feature_flag_overrides', 'feature_flags', 'gallery', 'mocs', 'wishlist'];
    expect(await triggered(FAMILIES)).toEqual(all);
    expect(await triggered(FAMILIES.filter(({ name }) => name !== 'mocs'))).toEqual(
      all.filter((table) => table !== 'mocs'),
    );
    expect(await triggered(families)).toEqual(all);
    expect(await triggered([])).toEqual([]);
  });
});

describe('while others write', () => {
  /** A table that a transaction has written to and not yet committed. */
  const withBusyTable = (work: (commit: () => Promise<unknown>) => Promise<void>) =>
    withTable('(user_id text)', async (table) => {
      const busy = await database.connect();
      try {
        await busy.query(`BEGIN; INSERT INTO ${table} VALUES ('1')`);
        await work(() => busy.query('COMMIT'));
      } finally {
        busy.release(true);
      }
    });

  test('the others go on, and the triggers come when they are done', async () => {
    await withBusyTable(async (commit) => {
      const installing = installTriggers(database, [family('odd')]);
      // Twice the time that somebody who waits for a lock may hold up who comes after.
      const other = await database.connect();
      await other.query("SET lock_timeout = '1s'");
      for (let n = 0; n < 4; n += 1) {
        await sleep(200);
        await other.query("INSERT INTO odd VALUES ('2')");
      }
      other.release(true);
      await commit();
      await installing;
      await database.query("INSERT INTO odd VALUES ('3')");
      expect(await reported()).toEqual(['fam:3']);
    });
  });

  test('a table that is never free is an error that names it, and the tables before it are done', async () => {
    await withBusyTable(async () => {
      const registry = [...FAMILIES, family('odd')];
      await expect(installTriggers(database, registry, { attempts: 2 })).rejects.toMatchObject({
        name: 'TriggerError',
        code: 'CUTOVER_TRIGGER',
        message: expect.stringMatching(/^outbox: table odd was locked .* 2 attempts .* migrate again$/),
        cause: expect.objectContaining({ code: '55P03' }),
      });
      await database.query(
        "INSERT INTO wishlist (user_id, item_id, version, data) VALUES ('9', 'a', 1, '{}')",
      );
      expect(await reported()).toEqual(['wishlist:user:9:list']);
    });
  });

  test('several processes install at once', async () => {
    await withTable('(user_id text)', async (table) => {
      await Promise.all([1, 2, 3].map(() => installTriggers(database, [family(table)])));
      await database.query(`INSERT INTO ${table} VALUES ('1')`);
      expect(await reported()).toEqual(['fam:1']);
    });
  });
});

describe('refused before anything is changed', () => {
  test.each([
    [family('nowhere'), 'outbox: family fam names table nowhere, which is not there; migrate it first'],
    [family('mocs', 'id'), 'outbox: family fam: fam:{id} names column id, which table mocs does not have'],
    [
      family('virtual', 'lowered'),
      'outbox: family fam: fam:{lowered} names column lowered of table virtual, which is generated when it is read and unknown to a trigger; make it STORED, or name the columns that it is made of',
    ],
  ])('is %j', async (odd, message) => {
    await installTriggers(database, []);
    await withTable(
      '(raw text, lowered text GENERATED ALWAYS AS (lower(raw)) VIRTUAL)',
      async () => {
        await expect(installTriggers(database, [...FAMILIES, odd])).rejects.toMatchObject({
          name: 'TriggerError',
          message,
        });
        const { rowCount } = await database.query("SELECT FROM pg_trigger WHERE tgname LIKE 'cutover%'");
        expect(rowCount).toBe(0);
      },
      'virtual',
    );
  });

  test('is not a column that is generated when it is written', async () => {
    await withTable('(raw text, user_id text GENERATED ALWAYS AS (lower(raw)) STORED)', async (table) => {
      await installTriggers(database, [family(table)]);
      await database.query(`INSERT INTO ${table} (raw) VALUES ('A')`);
      expect(await reported()).toEqual(['fam:a']);
    });
  });
});
