import type { Queryable } from '../database/pool.ts';

/** What the outbox holds that nobody has confirmed. */
export interface Backlog {
  readonly rows: number;
  /** Since when the oldest of them waits; 0 without one. */
  readonly oldestSeconds: number;
}

/** Beyond it the number says no more. */
const MAX_COUNTED = 10_000;

/** Counts what is left, up to 10,000 rows, by the index of the unconfirmed ones. @throws what the database throws. */
export async function backlogOf(database: Queryable): Promise<Backlog> {
  const { rows } = await database.query<Backlog>(
    `SELECT count(*)::int AS rows,
            greatest(0, coalesce(extract(epoch FROM now() - min(created_at)), 0))::float8 AS "oldestSeconds"
     FROM (SELECT created_at FROM cutover_outbox WHERE confirmed_at IS NULL ORDER BY id LIMIT ${MAX_COUNTED}) AS waiting`,
  );
  return rows[0] ?? { rows: 0, oldestSeconds: 0 };
}
