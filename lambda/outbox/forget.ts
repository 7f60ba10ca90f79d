import type { Cache } from '../cache/cache.ts';
import { isPlainName, type Keyspace } from '../cache/keyspace.ts';
import { asRecorded } from '../cache/seen.ts';
import type { BarState } from './bar-state.ts';
import type { OutboxEntry } from './outbox.ts';

/** Where the entries of the outbox are forgotten. */
export interface Forgetting {
  readonly keyspace: Pick<Keyspace, 'tryLocate'>;
  readonly cache: Pick<Cache, 'invalidate' | 'invalidateTag'>;
  /** Without it entries of state wait for a dispatcher that has it. */
  readonly barState?: BarState | undefined;
}

/**
 * Makes every backend forget what these entries name, each by itself: one whose server is away keeps nobody else's.
 * A name that no key and no tag can have, as a trigger makes it of an odd row, has nothing to forget.
 * @returns those that were forgotten.
 */
export async function forget<E extends OutboxEntry>(
  entries: readonly E[],
  { keyspace, cache, barState }: Forgetting,
): Promise<E[]> {
  const forgetOne = async ({ kind, name }: E): Promise<boolean> => {
    if (kind === 'tag') return !isPlainName(name) || (await cache.invalidateTag(name)) === 'done';
    if (kind === 'state') return (await barState?.(name)) ?? false;
    const places = keyspace.tryLocate(name);
    const isCached = places?.family.kind === 'cache' && places.tags.every(isPlainName);
    return !isCached || (await asRecorded(() => cache.invalidate(name))) === 'done';
  };
  const byName = new Map<string, Promise<boolean>>();
  const outcomes = entries.map((entry) => {
    const id = `${entry.kind} ${entry.name}`;
    const outcome = byName.get(id) ?? forgetOne(entry);
    byName.set(id, outcome);
    return outcome;
  });
  const forgotten = await Promise.all(outcomes);
  return entries.filter((_, index) => forgotten[index]);
}
