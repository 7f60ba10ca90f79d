import type { Acknowledgement, Cache } from '../cache/cache.ts';
import type { Keyspace } from '../cache/keyspace.ts';
import type { Queryable } from '../database/pool.ts';
import { confirmRows, type OutboxEntry, pruneRows, unconfirmedRows } from './outbox.ts';

/** Where the entries of the outbox are forgotten. */
export interface Forgetting {
  readonly keyspace: Pick<Keyspace, 'tryLocate'>;
  readonly cache: Pick<Cache, 'invalidate' | 'invalidateTag'>;
}

/** Makes every backend forget what these entries name. A name that no key can have has nothing to forget. */
export async function forget(
  entries: readonly OutboxEntry[],
  { keyspace, cache }: Forgetting,
): Promise<Acknowledgement> {
  const namesOf = (kind: OutboxEntry['kind']) => [
    ...new Set(entries.filter((entry) => entry.kind === kind).map(({ name }) => name)),
  ];
  const keys = namesOf('key').filter((key) => keyspace.tryLocate(key)?.family.kind === 'cache');
  const outcomes = await Promise.all([cache.invalidate(...keys), cache.invalidateTag(...namesOf('tag'))]);
  return outcomes.every((outcome) => outcome === 'done') ? 'done' : 'pending';
}

export interface DispatchOptions extends Forgetting {
  readonly database: Queryable;
  /** For how long a confirmed row stays; `retentionSeconds()` of the registry. */
  readonly retentionSeconds: number;
}

export interface DispatchReport {
  readonly confirmed: number;
  /** Whether rows are left, because Redis could not be asked. */
  readonly pending: boolean;
  readonly pruned: number;
}

/** Few enough that their invalidation is answered within a handler's deadline. */
export const BATCH = 200;

/**
 * Replays what nobody has confirmed: writes that answered `pending`, whose process died, or that know nothing of Cutover.
 * Any number of dispatchers may run at once. @throws what the database throws.
 */
export async function dispatch({
  database,
  retentionSeconds,
  ...forgetting
}: DispatchOptions): Promise<DispatchReport> {
  let confirmed = 0;
  let pending = false;
  for (let afterId = '0'; ; ) {
    const rows = await unconfirmedRows(database, { afterId, limit: BATCH });
    const last = rows.at(-1);
    if (!last) break;
    pending = (await forget(rows, forgetting)) === 'pending';
    if (pending) break;
    await confirmRows(
      database,
      rows.map(({ id }) => id),
    );
    confirmed += rows.length;
    afterId = last.id;
  }
  return { confirmed, pending, pruned: await pruneRows(database, retentionSeconds) };
}
