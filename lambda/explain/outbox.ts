import type { Queryable } from '../database/pool.ts';

/** A row of the outbox that named the key, or one of its tags. */
export interface OutboxReport {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  /** The `application_name` of who wrote. */
  readonly writer: string;
  /** Whether a trigger inserted it: the writer knows nothing of the outbox. */
  readonly byTrigger: boolean;
  /** As ISO 8601 has it. */
  readonly writtenAt: string;
  /** When every place was known to have forgotten it; null while it is not. */
  readonly confirmedAt: string | null;
}

const MAX_ROWS = 20;

export interface AskOutbox {
  readonly key: string;
  readonly tags: readonly string[];
}

/** The latest rows, the latest first. @throws what the database throws. */
export async function outboxRowsOf(database: Queryable, { key, tags }: AskOutbox): Promise<OutboxReport[]> {
  const { rows } = await database.query<{
    id: string;
    kind: string;
    name: string;
    writer: string;
    by_trigger: boolean;
    created_at: Date;
    confirmed_at: Date | null;
  }>(
    `SELECT id, kind, name, writer, by_trigger, created_at, confirmed_at FROM cutover_outbox
     WHERE (kind IN ('key', 'state') AND name = $1) OR (kind = 'tag' AND name = ANY($2))
     ORDER BY created_at DESC, id DESC LIMIT ${MAX_ROWS}`,
    [key, tags],
  );
  return rows.map(({ id, kind, name, writer, by_trigger, created_at, confirmed_at }) => ({
    ...{ id, kind, name, writer, byTrigger: by_trigger },
    writtenAt: created_at.toISOString(),
    confirmedAt: confirmed_at?.toISOString() ?? null,
  }));
}
