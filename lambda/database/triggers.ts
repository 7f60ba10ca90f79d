import { CutoverError } from '../contract/errors.ts';
import type { Family } from '../contract/families.ts';
import { columnsOf, literalsOf } from '../contract/template.ts';
import { type Database, type Queryable, withTransaction } from './pool.ts';

/** The registry names a table or a column that the database does not have. */
export class TriggerError extends CutoverError {
  override readonly name = 'TriggerError';
  readonly code = 'CUTOVER_TRIGGER';
}

/** A key or a tag that a changed row of a table makes outdated. */
interface Rule {
  readonly family: string;
  readonly table: string;
  readonly kind: 'key' | 'tag';
  readonly template: string;
}

const PREFIX = 'cutover_outbox';
const TRIGGERS = [`${PREFIX}_rows`, `${PREFIX}_truncate`];
/** What the runtime sets for its own transactions, which say themselves what they make outdated. */
export const INVALIDATES_ITSELF = 'cutover.invalidates';

/** One process at a time; the number is of no meaning, and Cutover's alone. */
const LOCK = 7_281_364_500;

/**
 * Makes the tables of the registry report their changes to the outbox, whoever makes them: a trigger for rows and one for
 * TRUNCATE. Triggers of tables that the registry no longer names go. What is right already is not touched, since a trigger
 * that is made or dropped waits for the writers of its table.
 * @throws TriggerError naming family, table and column before anything is changed.
 */
export async function installTriggers(database: Database, families: readonly Family[]): Promise<void> {
  const rules = rulesOf(families);
  await withTransaction(database, async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const schema = await requireColumns(tx, rules);
    const standing = await standingTriggers(tx, schema);
    const wanted = new Set(rules.map(({ table }) => table));
    for (const table of standing.filter((name) => !wanted.has(name))) {
      for (const each of TRIGGERS)
        await tx.query(`DROP TRIGGER ${each} ON ${identifier(schema)}.${identifier(table)}`);
    }
    for (const table of wanted) {
      const own = rules.filter((rule) => rule.table === table);
      await tx.query(functionsOf(schema, table, own));
      if (!standing.includes(table)) await tx.query(triggersOf(schema, table));
    }
  });
}

/** The tables that report already. */
async function standingTriggers(tx: Queryable, schema: string): Promise<string[]> {
  const { rows } = await tx.query<{ table: string }>(
    `SELECT DISTINCT relname AS table FROM pg_trigger
     JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE tgname = ANY($1) AND nspname = $2`,
    [TRIGGERS, schema],
  );
  return rows.map(({ table }) => table);
}

function rulesOf(families: readonly Family[]): Rule[] {
  return families
    .filter(({ kind }) => kind === 'cache')
    .flatMap(({ name: family, source, tagSources = [] }) => [
      ...(source
        ? [{ family, table: source.table, kind: 'key' as const, template: source.keyTemplate }]
        : []),
      ...tagSources.map(({ table, tagTemplate: template }) => ({
        family,
        table,
        kind: 'tag' as const,
        template,
      })),
    ]);
}

/** @returns the schema that the tables are in. @throws TriggerError for a table or a column that is not there. */
async function requireColumns(tx: Queryable, rules: readonly Rule[]): Promise<string> {
  const { rows } = await tx.query<{ schema: string; table: string; columns: string[] }>(
    `SELECT table_schema AS schema, table_name AS table, array_agg(column_name::text) AS columns
     FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY 1, 2`,
  );
  const columnsByTable = new Map(rows.map(({ table, columns }) => [table, columns]));
  for (const { family, table, template } of rules) {
    const columns = columnsByTable.get(table);
    if (!columns) {
      throw new TriggerError(
        `outbox: family ${family} names table ${table}, which is not there; migrate it first`,
      );
    }
    const missing = columnsOf(template).find((column) => !columns.includes(column));
    if (missing !== undefined) {
      throw new TriggerError(
        `outbox: family ${family}: ${template} names column ${missing}, which table ${table} does not have`,
      );
    }
  }
  return rows[0]?.schema ?? 'public';
}

/**
 * The functions run with their owner's rights, since a writer that does not know of the outbox has none on it. OLD is null
 * in an INSERT and NEW in a DELETE, and what is made of a null is null.
 */
function functionsOf(schema: string, table: string, rules: readonly Rule[]): string {
  const outbox = `${identifier(schema)}.cutover_outbox`;
  const target = `${identifier(schema)}.${identifier(table)}`;
  const namesOf = (row: string) =>
    rules.map((rule) => `('${rule.kind}', ${expressionOf(rule.template, row)})`).join(', ');
  const report = (names: string, from = '') => `
    INSERT INTO ${outbox} (kind, name, by_trigger)
    SELECT DISTINCT changed.kind, changed.name, true FROM ${from} (VALUES ${names}) AS changed (kind, name)
    WHERE changed.name IS NOT NULL;`;
  const define = (what: string, body: string) => `
    CREATE OR REPLACE FUNCTION ${identifier(schema)}.${identifier(`${PREFIX}_${table}_${what}`)}() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    BEGIN
      IF current_setting('${INVALIDATES_ITSELF}', true) IS DISTINCT FROM 'on' THEN ${body} END IF;
      RETURN NULL;
    END $body$;`;
  return `
    ${define('rows', report(`${namesOf('OLD')}, ${namesOf('NEW')}`))}
    ${define('truncate', report(namesOf('present'), `${target} AS present, LATERAL`))}`;
}

function triggersOf(schema: string, table: string): string {
  const target = `${identifier(schema)}.${identifier(table)}`;
  const run = (what: string) =>
    `EXECUTE FUNCTION ${identifier(schema)}.${identifier(`${PREFIX}_${table}_${what}`)}()`;
  return `
    CREATE TRIGGER ${PREFIX}_rows AFTER INSERT OR UPDATE OR DELETE ON ${target} FOR EACH ROW ${run('rows')};
    CREATE TRIGGER ${PREFIX}_truncate BEFORE TRUNCATE ON ${target} FOR EACH STATEMENT ${run('truncate')};`;
}

/** The name that a template gives for a row, as SQL. */
function expressionOf(template: string, row: string): string {
  const columns = columnsOf(template);
  return literalsOf(template)
    .flatMap((text, index) => {
      const column = columns[index];
      return [`'${text.replaceAll("'", "''")}'`, ...(column ? [`${row}.${identifier(column)}::text`] : [])];
    })
    .join(' || ');
}

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
