import { createHash } from 'node:crypto';
import pg from 'pg';
import { type Family, sourcesOf } from '../contract/families.ts';
import { columnsOf, literalsOf } from '../contract/template.ts';

/** A key or a tag that a changed row of a table makes outdated. */
export interface Rule {
  readonly family: string;
  readonly table: string;
  readonly kind: 'key' | 'tag';
  readonly template: string;
}

/** What the names of Cutover's functions begin with. */
export const FUNCTION_PREFIX = 'cutover_outbox_';

/** What the runtime sets for its own transactions, which say themselves what they make outdated. */
export const INVALIDATES_ITSELF = 'cutover.invalidates';

/** What decides how a value is written as text: a writer's own settings may not decide which key is outdated. */
const TEXT_SETTINGS = `SET DateStyle = 'ISO, MDY' SET TimeZone = 'UTC' SET IntervalStyle = 'postgres'
  SET bytea_output = 'hex' SET extra_float_digits = 1`;

/** What the registry says of the tables that its cache families are loaded from. */
export function rulesOf(families: readonly Family[]): Rule[] {
  return families
    .filter(({ kind }) => kind === 'cache')
    .flatMap((each) => [
      ...sourcesOf(each).map(({ table, keyTemplate: template }) => ({
        family: each.name,
        table,
        kind: 'key' as const,
        template,
      })),
      ...(each.tagSources ?? []).map(({ table, tagTemplate: template }) => ({
        family: each.name,
        table,
        kind: 'tag' as const,
        template,
      })),
    ]);
}

/** The name of the function of a table: a hash, since PostgreSQL cuts names at 63 bytes, and tables may be called so. */
export const functionNameOf = (table: string): string =>
  FUNCTION_PREFIX + createHash('sha256').update(table).digest('hex').slice(0, 16);

/**
 * The SQL that defines the trigger function of a table: for a row it reports what that row was and is, for TRUNCATE what all
 * rows of the truncated table are, which may be a partition of `table`. It runs with its owner's rights, since a writer that
 * does not know of the outbox has none on it.
 */
export function functionOf(schema: string, table: string, rules: readonly Rule[]): string {
  const insert = `
    INSERT INTO ${pg.escapeIdentifier(schema)}.cutover_outbox (kind, name, by_trigger, source_table)
    SELECT DISTINCT changed.kind, changed.name, true, ${pg.escapeLiteral(table)} FROM `;
  const namesOf = (...records: string[]) => {
    const names = records.flatMap((record) =>
      rules.map(({ kind, template }) => `('${kind}', ${nameOf(template, record)})`),
    );
    return `(VALUES ${names.join(', ')}) AS changed (kind, name) WHERE changed.name IS NOT NULL`;
  };
  // OLD is null in an INSERT and NEW in a DELETE, and what is made of a null is null.
  const body = `
    BEGIN
      IF current_setting('${INVALIDATES_ITSELF}', true) = 'on' THEN RETURN NULL; END IF;
      IF TG_OP = 'TRUNCATE' THEN
        EXECUTE ${pg.escapeLiteral(insert)} || TG_RELID::regclass::text ||
          ${pg.escapeLiteral(` AS present, LATERAL ${namesOf('present')}`)};
      ELSE ${insert} ${namesOf('OLD', 'NEW')};
      END IF;
      RETURN NULL;
    END`;
  return `
    CREATE OR REPLACE FUNCTION ${pg.escapeIdentifier(schema)}.${functionNameOf(table)}() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp ${TEXT_SETTINGS}
    AS ${pg.escapeLiteral(body)}`;
}

/** The name that a template gives for a record, as SQL. */
function nameOf(template: string, record: string): string {
  const columns = columnsOf(template);
  return literalsOf(template)
    .flatMap((text, index) => {
      const column = columns[index];
      return [pg.escapeLiteral(text), ...(column ? [`${record}.${pg.escapeIdentifier(column)}::text`] : [])];
    })
    .join(' || ');
}
