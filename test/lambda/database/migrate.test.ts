import { beforeEach, describe, expect, test } from '@jest/globals';
import { COLLECTIONS } from '../../../lambda/contract/families.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../../lambda/database/pool.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { freshDatabase } from '../../support/servers.ts';

const ALL_APPLIED = [
  ...['0001-collections', '0002-outbox', '0003-feature-flags', '0004-classroom', '0005-coverage'],
].map((name) => [name, 'Up', 'Success']);

let url: string;

beforeEach(async () => {
  ({ url } = await freshDatabase());
});

async function inDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const database = createPool({ url, applicationName: 'test', maxConnections: 1 });
  try {
    return await work(database);
  } finally {
    await database.end();
  }
}

const tables = () =>
  inDatabase(async (database) => {
    const { rows } = await database.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    );
    return rows.map(({ name }) => name).filter((name) => !name.startsWith('kysely_'));
  });

const namesOf = (results: Awaited<ReturnType<typeof migrate>>) =>
  results.map(({ migrationName, direction, status }) => [migrationName, direction, status]);

describe('migrate', () => {
  test('makes a table for each collection, one for their versions, two for the flags, four for the classroom and two for the outbox', async () => {
    expect(namesOf(await migrate(url))).toEqual(ALL_APPLIED);
    const flags = ['feature_flags', 'feature_flag_overrides'];
    const classroom = ['access_codes', 'classroom_members', 'classroom_sessions', 'secure_sessions'];
    expect(await tables()).toEqual(
      [
        ...COLLECTIONS,
        ...flags,
        ...classroom,
        'collection_versions',
        'cutover_coverage',
        'cutover_outbox',
      ].sort(),
    );
  });

  test('applies nothing the second time, and changes no row', async () => {
    await migrate(url);
    const all = 'SELECT * FROM collection_versions';
    await inDatabase((database) => database.query("INSERT INTO collection_versions VALUES ('u', 'mocs', 7)"));
    expect(await migrate(url)).toEqual([]);
    const { rows } = await inDatabase((database) => database.query(all));
    expect(rows).toEqual([{ user_id: 'u', collection: 'mocs', version: 7 }]);
  });

  test('applies each once when several processes begin at the same time', async () => {
    const results = await Promise.all([migrate(url), migrate(url), migrate(url)]);
    expect(results.flatMap(namesOf)).toEqual(ALL_APPLIED);
  });

  test('gives an outbox of the version before what it lacks, and leaves its rows', async () => {
    await migrate(url);
    await inDatabase(async (database) => {
      await database.query('ALTER TABLE cutover_outbox DROP COLUMN source_table, DROP COLUMN covered');
      await database.query('DROP TABLE cutover_coverage');
      await database.query("DELETE FROM kysely_migration WHERE name = '0005-coverage'");
      await database.query("INSERT INTO cutover_outbox (kind, name) VALUES ('key', 'mocs:user:1:list')");
    });
    expect(namesOf(await migrate(url))).toEqual([['0005-coverage', 'Up', 'Success']]);
    const { rows } = await inDatabase(async (database) => {
      await database.query("INSERT INTO albums (user_id, item_id, version, data) VALUES ('1', 'a', 1, '{}')");
      return database.query('SELECT name, source_table, covered FROM cutover_outbox ORDER BY id');
    });
    expect(rows).toEqual([
      { name: 'mocs:user:1:list', source_table: null, covered: null },
      { name: 'albums:user:1:list', source_table: 'albums', covered: null },
    ]);
  });

  test('may take longer than a request: its statements have not the limit of one', async () => {
    await inDatabase(async (database) => {
      await database.query('CREATE TABLE seen (setting text)');
      await database.query(
        `CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO seen VALUES (current_setting('statement_timeout')); END $$`,
      );
      await database.query('CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note()');
    });
    await migrate(url);
    const { rows } = await inDatabase((database) => database.query('SELECT DISTINCT setting FROM seen'));
    expect(rows).toHaveLength(1);
    expect(rows).not.toEqual([{ setting: '4s' }]);
  });

  test('leaves no connection open', async () => {
    await migrate(url);
    await inDatabase(async (database) => {
      const open =
        "SELECT FROM pg_stat_activity WHERE application_name = 'cutover-migrate' AND datname = current_database()";
      while ((await database.query(open)).rowCount !== 0);
    });
  });
});

describe('a failure is a MigrationError', () => {
  const error = { name: 'MigrationError', code: 'CUTOVER_MIGRATION' };

  test('when the database cannot be reached', async () => {
    const port = await freePort();
    await expect(migrate(`postgresql://nobody@127.0.0.1:${port}/none`)).rejects.toMatchObject({
      ...error,
      message: expect.stringMatching(`^migrate: .*ECONNREFUSED 127.0.0.1:${port} \\(none was begun\\)$`),
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
  });

  test('when there is no such database', async () => {
    const other = new URL(url);
    other.pathname = '/no_such_database';
    await expect(migrate(other.href)).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining('database "no_such_database" does not exist'),
    });
  });

  test('when a migration fails: it is named, and rolled back as a whole', async () => {
    // Each table has a type of its own name: this one is in the way of the last.
    await inDatabase((database) => database.query("CREATE TYPE albums AS ENUM ('x')"));
    await expect(migrate(url)).rejects.toMatchObject({
      ...error,
      message: expect.stringMatching(/^migrate: .*albums.* \(0001-collections\)$/),
    });
    expect(await tables()).toEqual([]);
  });
});
