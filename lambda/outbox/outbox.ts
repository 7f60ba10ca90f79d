import type { Database, Queryable } from '../database/pool.ts';

/** A key or a tag that a write has made outdated; or a key of state, about which the database is to decide. */
export interface OutboxEntry {
  readonly kind: 'key' | 'tag' | 'state';
  readonly name: string;
}

export interface OutboxRow extends OutboxEntry {
  /** As the database counts; not in the order of the commits. */
  readonly id: string;
}

/** Inserts what a transaction makes outdated, in that transaction. @returns the rows' ids. */
export async function insertEntries(tx: Queryable, entries: readonly OutboxEntry[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'cutover-outbox-insert',
    text: 'INSERT INTO cutover_outbox (kind, name) SELECT * FROM unnest($1::text[], $2::text[]) RETURNING id',
    values: [entries.map(({ kind }) => kind), entries.map(({ name }) => name)],
  });
  return rows.map(({ id }) => id);
}

/** Notes that every backend has forgotten what these rows name. */
export async function confirmRows(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    name: 'cutover-outbox-confirm',
    text: 'UPDATE cutover_outbox SET confirmed_at = now() WHERE id = ANY($1::bigint[]) AND confirmed_at IS NULL',
    values: [ids],
  });
}

/** The oldest rows after this id that nobody has confirmed. */
export async function unconfirmedRows(
  db: Queryable,
  { afterId, limit }: { afterId: string; limit: number },
): Promise<OutboxRow[]> {
  const { rows } = await db.query<OutboxRow>(
    'SELECT id, kind, name FROM cutover_outbox WHERE confirmed_at IS NULL AND id > $1 ORDER BY id LIMIT $2',
    [afterId, limit],
  );
  return rows;
}

/** Rows that were confirmed in the last so many seconds. */
export async function rowsConfirmedSince(
  db: Queryable,
  { afterId, limit, seconds }: { afterId: string; limit: number; seconds: number },
): Promise<OutboxRow[]> {
  const { rows } = await db.query<OutboxRow>(
    `SELECT id, kind, name FROM cutover_outbox
     WHERE confirmed_at > now() - make_interval(secs => $1) AND id > $2 ORDER BY id LIMIT $3`,
    [seconds, afterId, limit],
  );
  return rows;
}

/** Removes rows that were confirmed so long ago that no entry can be older. @returns how many. */
export async function pruneRows(db: Queryable, retentionSeconds: number): Promise<number> {
  const { rowCount } = await db.query(
    'DELETE FROM cutover_outbox WHERE confirmed_at < now() - make_interval(secs => $1)',
    [retentionSeconds],
  );
  return rowCount ?? 0;
}

/** Gathers confirmations, of which none is waited for: a row whose confirmation is lost is only replayed once more. */
export function createConfirmer(database: Database): (ids: readonly string[]) => void {
  let waiting: string[] = [];
  let running = false;
  const run = async () => {
    running = true;
    while (waiting.length > 0) {
      const ids = waiting;
      waiting = [];
      await confirmRows(database, ids).catch(() => {});
    }
    running = false;
  };
  return (ids) => {
    waiting.push(...ids);
    if (!running) void run();
  };
}
