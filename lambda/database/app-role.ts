import pg from 'pg';
import { ConfigurationError, CutoverError } from '../contract/errors.ts';
import { COLLECTIONS } from '../contract/families.ts';
import { type Database, type Transaction, withTransaction } from './pool.ts';

/** The role of the functions could not be made, or not be given its rights; nothing of it has changed. */
export class AppRoleError extends CutoverError {
  override readonly name = 'AppRoleError';
  readonly code = 'CUTOVER_APP_ROLE';
}

const ROWS = 'SELECT, INSERT, UPDATE, DELETE';

/**
 * What the API and the dispatcher do to which table. The triggers of the outbox need no right of the writer's: they run as their
 * owner.
 */
const TABLES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(COLLECTIONS.map((table) => [table, ROWS])),
  collection_versions: 'SELECT, INSERT, UPDATE',
  feature_flags: ROWS,
  feature_flag_overrides: ROWS,
  secure_sessions: ROWS,
  classroom_sessions: ROWS,
  classroom_members: ROWS,
  access_codes: ROWS,
  cutover_outbox: ROWS,
  // Of the doctor, who asks what was applied.
  kysely_migration: 'SELECT',
  cutover_coverage: ROWS,
};
/** The versions of flags. */
const SEQUENCE = 'feature_flag_versions';

/** RDS's own role: who is a member shows IAM tokens, and no password. */
const RDS_IAM = 'rds_iam';

/** A plain name, since it stands in the URLs of the functions and in the ARN of their permission. */
const NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** One process at a time; the number is of no meaning, and Cutover's alone. */
const LOCK = 7_281_364_502;
const BEGIN = `BEGIN; SELECT pg_advisory_xact_lock(${LOCK})`;

/**
 * Makes the role that the functions are, where it is missing, and gives it the right to do what they do: to change rows, and no
 * table. On RDS it shows IAM tokens. A right is never taken back here: the version before still runs, and may come back.
 * @throws ConfigurationError for a name that is none. AppRoleError for what the database refuses.
 */
export async function prepareAppRole(database: Database, name: string): Promise<void> {
  if (!NAME.test(name)) {
    throw new ConfigurationError(
      `migrate: DATABASE_APP_ROLE=${name} is no name of a role; use lower-case letters, digits and _, or unset it for none`,
    );
  }
  try {
    await withTransaction(database, (tx) => makeRole(tx, name), BEGIN);
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError)) throw cause;
    throw new AppRoleError(
      `migrate: DATABASE_APP_ROLE=${name}: ${cause.message}; migrate as an owner of the tables who may make roles, or unset it for none`,
      { cause },
    );
  }
}

async function makeRole(tx: Transaction, name: string): Promise<void> {
  // Roles are the server's: a migration of another database of it may make the same one at this moment.
  const create = `BEGIN CREATE ROLE ${name} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END`;
  await tx.query(`DO ${pg.escapeLiteral(create)}`);
  for (const [table, rights] of Object.entries(TABLES)) {
    await tx.query(`GRANT ${rights} ON TABLE ${table} TO ${name}`);
  }
  await tx.query(`GRANT USAGE ON SEQUENCE ${SEQUENCE} TO ${name}`);
  const { rows } = await tx.query<{ schema: string; lacksIam: boolean }>(
    `SELECT quote_ident(current_schema()) AS schema,
       EXISTS (SELECT FROM pg_roles WHERE rolname = $2 AND NOT pg_has_role($1, oid, 'MEMBER')) AS "lacksIam"`,
    [name, RDS_IAM],
  );
  for (const { schema, lacksIam } of rows) {
    await tx.query(`GRANT USAGE ON SCHEMA ${schema} TO ${name}`);
    if (lacksIam) await tx.query(`GRANT ${RDS_IAM} TO ${name}`);
  }
}
