import type { Queryable } from '../database/pool.ts';
import type { Flag, FlagFields, FlagSet, Override } from './schema.ts';

/** Which flag, of which environment. */
export interface FlagName {
  readonly environment: string;
  readonly key: string;
}

/** Whose override of which flag. */
export interface OverrideName extends FlagName {
  readonly userId: string;
}

/** What a write stores, and in whose name. */
export interface Change<T> {
  readonly fields: T;
  readonly by: string;
}

interface FlagRow {
  readonly flag_key: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly value: unknown;
  readonly version: number;
  readonly updated_at: Date;
  readonly updated_by: string;
}

type OverrideRow = Pick<FlagRow, 'value' | 'version' | 'updated_at' | 'updated_by'> & {
  readonly enabled: boolean | null;
};

const FLAG = 'flag_key, description, enabled, value, version, updated_at, updated_by';
const OVERRIDE = 'enabled, value, version, updated_at, updated_by';

/** All flags of an environment, of one moment. */
export async function readFlags(db: Queryable, environment: string): Promise<FlagSet> {
  const { rows } = await db.query<FlagRow>({
    name: 'flags',
    text: `SELECT ${FLAG} FROM feature_flags WHERE environment = $1 ORDER BY flag_key COLLATE "C"`,
    values: [environment],
  });
  return { environment, flags: rows.map(flagOf) };
}

/** @returns null for a flag that is not there. */
export async function readFlag(db: Queryable, { environment, key }: FlagName): Promise<Flag | null> {
  const { rows } = await db.query<FlagRow>({
    name: 'flag',
    text: `SELECT ${FLAG} FROM feature_flags WHERE environment = $1 AND flag_key = $2`,
    values: [environment, key],
  });
  return rows[0] ? flagOf(rows[0]) : null;
}

/** @returns null where the flag is for this user as for everybody. */
export async function readOverride(
  db: Queryable,
  { environment, key, userId }: OverrideName,
): Promise<Override | null> {
  const { rows } = await db.query<OverrideRow>({
    name: 'flag-override',
    text: `SELECT ${OVERRIDE} FROM feature_flag_overrides WHERE environment = $1 AND flag_key = $2 AND user_id = $3`,
    values: [environment, key, userId],
  });
  return rows[0] ? overrideOf(rows[0]) : null;
}

/** As `readFlag`, and no other transaction changes it or its overrides until this one has ended. */
export async function lockFlag(tx: Queryable, { environment, key }: FlagName): Promise<Flag | null> {
  const { rows } = await tx.query<FlagRow>(
    `SELECT ${FLAG} FROM feature_flags WHERE environment = $1 AND flag_key = $2 FOR UPDATE`,
    [environment, key],
  );
  return rows[0] ? flagOf(rows[0]) : null;
}

/** @returns null where there is a flag of this key already. */
export async function insertFlag(
  tx: Queryable,
  environment: string,
  { fields, by }: Change<FlagFields>,
): Promise<Flag | null> {
  const { rows } = await tx.query<FlagRow>(
    `INSERT INTO feature_flags (environment, flag_key, description, enabled, value, updated_by)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING ${FLAG}`,
    [environment, fields.key, fields.description, fields.enabled, jsonOf(fields.value), by],
  );
  return rows[0] ? flagOf(rows[0]) : null;
}

/** Changes a flag that is there. */
export async function updateFlag(
  tx: Queryable,
  environment: string,
  { fields, by }: Change<FlagFields>,
): Promise<Flag> {
  const { rows } = await tx.query<FlagRow>(
    `UPDATE feature_flags SET description = $3, enabled = $4, value = $5, updated_by = $6
     WHERE environment = $1 AND flag_key = $2 RETURNING ${FLAG}`,
    [environment, fields.key, fields.description, fields.enabled, jsonOf(fields.value), by],
  );
  return flagOf(only(rows));
}

/** Deletes a flag and its overrides. @returns the users who had one. */
export async function deleteFlag(tx: Queryable, { environment, key }: FlagName): Promise<string[]> {
  const { rows } = await tx.query<{ user_id: string }>(
    'DELETE FROM feature_flag_overrides WHERE environment = $1 AND flag_key = $2 RETURNING user_id',
    [environment, key],
  );
  await tx.query('DELETE FROM feature_flags WHERE environment = $1 AND flag_key = $2', [environment, key]);
  return rows.map(({ user_id: userId }) => userId);
}

/** Stores what differs for a user. */
export async function putOverride(
  tx: Queryable,
  { environment, key, userId }: OverrideName,
  { fields, by }: Change<Pick<Override, 'enabled' | 'value'>>,
): Promise<Override> {
  const { rows } = await tx.query<OverrideRow>(
    `INSERT INTO feature_flag_overrides (environment, flag_key, user_id, enabled, value, updated_by)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (environment, flag_key, user_id) DO UPDATE SET enabled = $4, value = $5, updated_by = $6
     RETURNING ${OVERRIDE}`,
    [environment, key, userId, fields.enabled ?? null, jsonOf(fields.value), by],
  );
  return overrideOf(only(rows));
}

/** @returns whether there was one. */
export async function deleteOverride(
  tx: Queryable,
  { environment, key, userId }: OverrideName,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    'DELETE FROM feature_flag_overrides WHERE environment = $1 AND flag_key = $2 AND user_id = $3',
    [environment, key, userId],
  );
  return rowCount === 1;
}

const jsonOf = (value: unknown) => (value === undefined || value === null ? null : JSON.stringify(value));

const flagOf = ({ flag_key, description, enabled, ...row }: FlagRow): Flag => ({
  key: flag_key,
  description,
  enabled,
  ...sharedOf(row),
});

const overrideOf = ({ enabled, ...row }: OverrideRow): Override => ({
  ...(enabled !== null && { enabled }),
  ...sharedOf(row),
});

const sharedOf = ({ value, version, updated_at, updated_by }: Omit<OverrideRow, 'enabled'>) => ({
  ...(value !== null && { value }),
  version,
  updatedAt: updated_at.toISOString(),
  updatedBy: updated_by,
});

function only<Row>([row]: readonly Row[]): Row {
  if (!row) throw new Error('flags: a statement that returns a row returned none');
  return row;
}
