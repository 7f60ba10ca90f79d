import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type AuditSources, bytesAt, type Mismatch, rowOf } from './entry.ts';

/**
 * `fresh`: it was a write on its way, and the entry is gone or right. `pending`: the outbox still has to forget it, which no writer was
 * told to be done. `unsettled`: it, or its lease, was in use each time.
 */
export type Verdict = 'stale' | 'fresh' | 'pending' | 'unsettled';

export interface ConfirmOptions extends AuditSources {
  /** How often in a row a mismatch has to be found again; with 0 every write that is on its way would be one. */
  readonly confirmations: number;
  /** Between two looks, in milliseconds: longer than a writer takes from its commit to its invalidation. */
  readonly pauseMs: number;
}

/** Looks beyond the confirmations, for what changes meanwhile. */
const MORE_LOOKS = 3;

/**
 * Looks at a mismatch again, after pauses, until it has been the same so many times in a row: the bytes are still those, nobody holds the
 * lease under which they could be replaced, no row of the outbox waits that names the key, and the row is as it was.
 * @throws what Redis and the database throw.
 */
export async function confirm(found: Mismatch, options: ConfirmOptions): Promise<Verdict> {
  const { confirmations, pauseMs, send } = options;
  const { physical, places, reader, bytes, cached } = found;
  let { row } = found;
  let same = 0;
  let last: Verdict = 'unsettled';
  for (let looks = 0; same < confirmations; looks += 1) {
    if (looks === confirmations + MORE_LOOKS) return last;
    await sleep(pauseMs);
    const now = await rowOf(reader, options);
    // After the row, since what was committed with it is in the outbox by then; the entry last, since only that can be forgotten now.
    const isPending = await waitsInOutbox(places.legacy, options);
    const [lease, stored] = await Promise.all([bytesAt(send, places.fence), bytesAt(send, physical)]);
    if (stored !== bytes || isDeepStrictEqual(now, cached)) return 'fresh';
    const isSame = isDeepStrictEqual(now, row) && lease === null && !isPending;
    same = isSame ? same + 1 : 0;
    last = isPending ? 'pending' : 'unsettled';
    row = now;
  }
  return 'stale';
}

/** Whether a write of the key has not been confirmed as invalidated. */
async function waitsInOutbox(key: string, { database, inTurn }: AuditSources): Promise<boolean> {
  const { rowCount } = await inTurn(() =>
    database.query(
      "SELECT FROM cutover_outbox WHERE confirmed_at IS NULL AND kind = 'key' AND name = $1 LIMIT 1",
      [key],
    ),
  );
  return rowCount !== 0;
}
