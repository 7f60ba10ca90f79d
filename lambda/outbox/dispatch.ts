import type { UncoveredWriter } from '../coverage/judge.ts';
import type { Queryable } from '../database/pool.ts';
import { type Forgetting, forget } from './forget.ts';
import { confirmRows, type OutboxRow, pruneRows, rowsConfirmedSince, unconfirmedRows } from './outbox.ts';

export interface DispatchOptions extends Forgetting {
  readonly database: Queryable;
  /** For how long a confirmed row stays; `retentionSeconds()` of the registry. */
  readonly retentionSeconds: number;
  /**
   * What was confirmed in so many seconds is forgotten once more, where the outbox was replayed lately: a process that had not
   * noticed the failover by then may have confirmed a row whose invalidation reached only the server that was left. Default: 0.
   */
  readonly againSeconds?: number;
}

export interface DispatchReport {
  readonly confirmed: number;
  /** Whether rows are left, because Redis could not be asked. */
  readonly pending: boolean;
  readonly pruned: number;
  /** Who was found to change rows without an invalidation: absent where nobody was. */
  readonly uncovered?: readonly UncoveredWriter[];
}

/** Few enough that their invalidation is answered within a handler's deadline. */
export const BATCH = 200;
/** So many batches in a row of which nothing could be forgotten: Redis is away, and the next pass tries again. */
const HOPELESS_BATCHES = 3;
/** Longer than a process takes to notice that it talks to a server that was left. */
export const LATELY_SECONDS = 180;

/**
 * Replays what nobody has confirmed: writes that answered `pending`, whose process died, or that know nothing of Cutover.
 * Any number of dispatchers may run at once. @throws what the database throws.
 */
export async function dispatch(options: DispatchOptions): Promise<DispatchReport> {
  const { database, retentionSeconds, againSeconds = 0 } = options;
  let confirmed = 0;
  let pending = false;
  let hopeless = 0;
  let rows: OutboxRow[] = [];
  for (let afterId = '0'; hopeless < HOPELESS_BATCHES; afterId = rows.at(-1)?.id ?? afterId) {
    rows = await unconfirmedRows(database, { afterId, limit: BATCH });
    if (rows.length === 0) break;
    const forgotten = await forget(rows, options);
    pending ||= forgotten.length < rows.length;
    hopeless = forgotten.length === 0 ? hopeless + 1 : 0;
    confirmed += forgotten.length;
    if (forgotten.length === 0) continue;
    await confirmRows(
      database,
      forgotten.map(({ id }) => id),
    );
  }
  if (againSeconds > 0) pending = !(await forgetAgain(options, againSeconds)) || pending;
  return { confirmed, pending, pruned: await pruneRows(database, retentionSeconds) };
}

/** @returns whether all of it could be confirmed once more. */
async function forgetAgain(options: DispatchOptions, seconds: number): Promise<boolean> {
  let isAll = true;
  let rows: OutboxRow[] = [];
  for (let afterId = '0'; ; afterId = rows.at(-1)?.id ?? afterId) {
    rows = await rowsConfirmedSince(options.database, { afterId, limit: BATCH, seconds });
    if (rows.length === 0) return isAll;
    isAll = (await forget(rows, options)).length === rows.length && isAll;
  }
}
