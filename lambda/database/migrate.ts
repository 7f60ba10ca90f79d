import { Kysely, type Migration, type MigrationResult, Migrator, PostgresDialect } from 'kysely';
import { CutoverError } from '../contract/errors.ts';
import { FAMILIES, type Family } from '../contract/families.ts';
import { prepareAppRole } from './app-role.ts';
import type { MigrationName } from './migration-names.ts';
import * as collections from './migrations/0001-collections.ts';
import * as outbox from './migrations/0002-outbox.ts';
import * as featureFlags from './migrations/0003-feature-flags.ts';
import * as classroom from './migrations/0004-classroom.ts';
import * as coverage from './migrations/0005-coverage.ts';
import type { DatabaseOptions } from './options.ts';
import { createPool } from './pool.ts';
import { installTriggers } from './triggers.ts';

/** In order of their names; code and not files, so that they travel in a bundle. Expand first, contract later. */
const MIGRATIONS: Readonly<Record<MigrationName, Migration>> = {
  '0001-collections': collections,
  '0002-outbox': outbox,
  '0003-feature-flags': featureFlags,
  '0004-classroom': classroom,
  '0005-coverage': coverage,
};

/** A migration failed: it was rolled back, and the ones before it stand. */
export class MigrationError extends CutoverError {
  override readonly name = 'MigrationError';
  readonly code = 'CUTOVER_MIGRATION';
}

export interface MigrateOptions extends DatabaseOptions {
  /** The role of the functions, to be made; none where they are who migrates. */
  readonly appRole?: string | undefined;
}

/**
 * Brings the schema up to date, the triggers of the tables that the registry names, and the rights of the functions' role, under a
 * lock that lets one process at a time do so.
 * @param target the database, or its URL alone; to be that of who may change the schema.
 * @returns what was applied now; empty when nothing was missing.
 * @throws TriggerError for a table or a column of the registry that is not there. AppRoleError for a role that cannot be made.
 * MigrationError naming the migration, or that the database cannot be reached.
 */
export async function migrate(
  target: string | MigrateOptions,
  families: readonly Family[] = FAMILIES,
): Promise<readonly MigrationResult[]> {
  const { appRole, ...options }: MigrateOptions = typeof target === 'string' ? { url: target } : target;
  const pool = createPool({
    ...options,
    applicationName: 'cutover-migrate',
    maxConnections: 1,
    patient: true,
  });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error === undefined) {
      await installTriggers(pool, families);
      if (appRole) await prepareAppRole(pool, appRole);
      return results;
    }
    const failed = results.find(({ status }) => status === 'Error')?.migrationName ?? 'none was begun';
    throw new MigrationError(`migrate: ${messageOf(error)} (${failed})`, { cause: error });
  } finally {
    await db.destroy();
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message || error.name : String(error));
