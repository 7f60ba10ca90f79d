import pg from 'pg';
import { FAMILIES, type Family } from '../contract/families.ts';
import { MIGRATION_NAMES } from '../database/migration-names.ts';
import type { Queryable } from '../database/pool.ts';
import { functionNameOf, functionOf, rulesOf } from '../database/trigger-functions.ts';
import { ROWS, TRUNCATE } from '../database/triggers.ts';
import { codeOf } from './codes.ts';
import { type Finding, fail, pass, warn } from './examination.ts';

const UNDEFINED_TABLE = '42P01';
const MIGRATE = 'run the function migrate: npm run deploy does, and cutover serve with this DATABASE_URL';

/** Whether every migration of this version was applied. @throws what the database throws. */
export async function migrationsOf(database: Queryable): Promise<Finding> {
  let applied: string[];
  try {
    const { rows } = await database.query<{ name: string }>(
      'SELECT name FROM kysely_migration ORDER BY name',
    );
    applied = rows.map(({ name }) => name);
  } catch (error) {
    if (codeOf(error) !== UNDEFINED_TABLE) throw error;
    return fail('none was ever applied to this database', `${MIGRATE}; or name the right database`);
  }
  const missing = MIGRATION_NAMES.filter((name) => !applied.includes(name));
  if (missing.length > 0) return fail(`missing: ${missing.join(', ')}`, MIGRATE);
  const known: readonly string[] = MIGRATION_NAMES;
  const later = applied.filter((name) => !known.includes(name));
  if (later.length === 0) return pass(`all ${applied.length}`);
  return warn(
    `a later version has applied ${later.join(', ')}`,
    'run the doctor of the version that is deployed',
  );
}

interface Trigger {
  readonly table: string;
  /** The table, or a partition of it. */
  readonly relation: string;
  readonly trigger: string;
  /** As pg_trigger has it: `D` does not fire, `R` on a replica only; null where there is none. */
  readonly enabled: string | null;
  readonly function: string | null;
  readonly body: string | null;
}

/**
 * Whether every table of the registry tells the outbox of its changes: that its triggers are there, fire, and report what this
 * version's registry says. @throws what the database throws.
 */
export async function triggersOf(
  database: Queryable,
  families: readonly Family[] = FAMILIES,
): Promise<Finding> {
  const rules = rulesOf(families);
  const tables = [...new Set(rules.map(({ table }) => table))];
  const schema = await currentSchema(database);
  const triggers = await read(database, schema, tables);
  const wrong = tables.flatMap((table) => {
    const own = triggers.filter((each) => each.table === table);
    if (own.length === 0) return [`table ${table} is not there`];
    const expected = functionOf(
      schema,
      table,
      rules.filter((rule) => rule.table === table),
    );
    return own.flatMap((each) => flawOf(each, expected) ?? []);
  });
  if (wrong.length === 0) return pass(`in place on ${tables.length} tables`);
  const more = wrong.length > MAX_SHOWN ? `, and ${wrong.length - MAX_SHOWN} more` : '';
  return fail(`${wrong.slice(0, MAX_SHOWN).join(', ')}${more}`, MIGRATE);
}

const MAX_SHOWN = 6;

function flawOf(
  { table, relation, trigger, enabled, ...made }: Trigger,
  expected: string,
): string | undefined {
  const what = trigger === ROWS ? 'rows' : 'TRUNCATE';
  if (enabled === null) return `${relation} has no trigger for ${what}`;
  if (enabled !== 'O' && enabled !== 'A') return `${relation}: the trigger for ${what} is disabled`;
  const isOurs =
    made.function === functionNameOf(table) && expected.endsWith(pg.escapeLiteral(made.body ?? ''));
  return isOurs ? undefined : `${relation}: the trigger for ${what} is of another version`;
}

async function currentSchema(database: Queryable): Promise<string> {
  const { rows } = await database.query<{ schema: string | null }>('SELECT current_schema() AS schema');
  return rows[0]?.schema ?? '';
}

async function read(database: Queryable, schema: string, tables: readonly string[]): Promise<Trigger[]> {
  const { rows } = await database.query<Trigger>(
    `WITH named AS (
       SELECT pg_class.oid, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
       WHERE nspname = $1 AND relname = ANY($2) AND relkind IN ('r', 'p'))
     SELECT named.relname AS "table", tree.relid::regclass::text AS relation, wanted AS trigger, tgenabled AS enabled,
       proname AS function, prosrc AS body
     FROM named
     CROSS JOIN LATERAL (SELECT named.oid AS relid UNION SELECT relid FROM pg_partition_tree(named.oid)) AS tree
     CROSS JOIN unnest($3::text[]) AS wanted
     LEFT JOIN pg_trigger ON tgrelid = tree.relid AND tgname = wanted
     LEFT JOIN pg_proc ON pg_proc.oid = tgfoid
     ORDER BY relation, wanted`,
    [schema, tables, [ROWS, TRUNCATE]],
  );
  return rows;
}

/** The dispatcher comes each minute. */
const MAX_PENDING_SECONDS = 120;

/** Whether what writers have left is repeated. @throws what the database throws. */
export async function outboxOf(database: Queryable): Promise<Finding> {
  const { rows } = await database.query<{ pending: number; seconds: number | null }>(
    `SELECT count(*)::int AS pending, extract(epoch FROM now() - min(created_at))::float8 AS seconds
     FROM cutover_outbox WHERE confirmed_at IS NULL`,
  );
  const { pending = 0, seconds = null } = rows[0] ?? {};
  if (seconds === null) return pass('every invalidation is confirmed');
  const shown = `${pending} not confirmed, the oldest for ${Math.round(seconds)} s`;
  if (seconds <= MAX_PENDING_SECONDS) return pass(shown);
  return fail(
    `${shown}: above ${MAX_PENDING_SECONDS} s, and what they name may be read old`,
    'look at the log of the dispatcher: is it invoked, does it reach Redis?',
  );
}
