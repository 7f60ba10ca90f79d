import type { Queryable } from '../../../lambda/database/pool.ts';
import type { Cached, Named } from './registry.ts';

/** Beside the version: the last one whose write named the key, and how many rows of the outbox the writes have to leave. */
export const CREATE_LISTS = `CREATE UNLOGGED TABLE lists (
  user_id text PRIMARY KEY, version integer NOT NULL, key_version integer NOT NULL, entries integer NOT NULL)`;

const LOAD = 'SELECT version, key_version FROM lists WHERE user_id = $1';
const UPDATE = `INSERT INTO lists VALUES ($1, 1, $2::integer, $3::integer)
  ON CONFLICT (user_id) DO UPDATE SET version = lists.version + 1,
    key_version = CASE $2::integer WHEN 1 THEN lists.version + 1 ELSE lists.key_version END,
    entries = lists.entries + $3::integer
  RETURNING version, key_version`;
const CLEAR = `WITH gone AS (DELETE FROM cutover_outbox RETURNING id)
  SELECT count(*)::integer AS left,
    coalesce((SELECT entries FROM lists WHERE user_id = $1), 0) AS entries FROM gone`;

/** What the database holds of a row: the version that a read has to see once its invalidation is through. */
export type Committed = Readonly<Record<Cached, number>>;

interface Row {
  readonly version: number;
  readonly key_version: number;
}

const committedOf = (row?: Row): Committed => ({ list: row?.key_version ?? 0, view: row?.version ?? 0 });

/** What is committed now; version 0 where there is no row. */
export async function loadRow(database: Queryable, user: string): Promise<Committed> {
  const { rows } = await database.query<Row>({ name: 'load', text: LOAD, values: [user] });
  return committedOf(rows[0]);
}

/** Writes the next version. @param entries how many rows this leaves in the outbox. */
export async function updateRow(
  database: Queryable,
  { user, named, entries }: { user: string; named: Named; entries: number },
): Promise<number> {
  const values = [user, named === 'key' ? 1 : 0, entries];
  const { rows } = await database.query<Row>({ name: 'update', text: UPDATE, values });
  return committedOf(rows[0]).view;
}

/** Empties the outbox. @returns how many rows its writes left there, and how many are left. */
export async function clearOutbox(
  database: Queryable,
  user: string,
): Promise<{ left: number; entries: number }> {
  const { rows } = await database.query<{ left: number; entries: number }>({
    name: 'clear',
    text: CLEAR,
    values: [user],
  });
  return rows[0] ?? { left: 0, entries: 0 };
}
