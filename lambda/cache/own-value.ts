import { sourcesOf } from '../contract/families.ts';
import { InvalidKeyError, type Places } from './keyspace.ts';
import type { CacheStore } from './store.ts';
import type { Ttl } from './ttl.ts';

export interface SetOptions {
  /** Time to live in seconds, less up to a tenth. Default: the family's. */
  readonly ttlSeconds?: Ttl;
}

/** What the cache itself owns. @throws InvalidKeyError for a family whose values a database owns. */
export function requireOwn({ family }: Places): void {
  const [source] = sourcesOf(family);
  if (!source) return;
  throw new InvalidKeyError(
    `cache: set on family ${family.name} is refused: table ${source.table} owns its values; fill it by getOrLoad and remove them by invalidate`,
  );
}

export interface OwnWrite {
  readonly places: Places;
  readonly value: string;
  readonly ttlMs: number;
  /** Every store that somebody reads. */
  readonly stores: readonly CacheStore[];
  readonly onError: (error: unknown) => void;
}

/** Stores it where this phase fills, in phase `dual` under both keys, and removes it elsewhere. Never rejects. */
export async function setOwn({
  places,
  value,
  ttlMs,
  stores,
  onError,
}: OwnWrite): Promise<'stored' | 'unavailable'> {
  const { fence, home, legacy, namespaced, fillsLegacy } = places;
  const homes = fillsLegacy ? [legacy, home] : [home];
  // Another phase may run at once: what it reads must not be older.
  const others = [legacy, ...namespaced].filter((each) => !homes.includes(each));
  try {
    await Promise.all(stores.map((store) => store.set({ fence, legacy, homes, others, value, ttlMs })));
    return 'stored';
  } catch (error) {
    onError(error);
    return 'unavailable';
  }
}
