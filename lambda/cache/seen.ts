import { sourcesOf } from '../contract/families.ts';
import type { PhysicalKey, Places } from './keyspace.ts';
import type { CacheStore } from './store.ts';

/**
 * What an invalidation leaves that no row of the outbox tells of, so that the dispatcher can tell a trigger's row that somebody has
 * invalidated from one that nobody has. Losing one can only hide who writes, or have the dispatcher say nothing of a row.
 */

/** For how long a mark stands: the dispatcher comes each minute, and judges a row at its second visit. */
export const SEEN_SECONDS = 180;

const LEASE = 'cutover:lease:';
const SEEN = 'cutover:seen:';
const FILLED = 'cutover:seen:fill:';

/** A key by its lease, which says what makes both share a slot. */
type Leased = Pick<Places, 'fence'>;

const beside = (prefix: string, { fence }: Leased) => `${prefix}${fence.slice(LEASE.length)}` as PhysicalKey;

/** The mark of an invalidation, `cutover:seen:{T}:K`. */
export const seenKeyOf = (places: Leased): PhysicalKey => beside(SEEN, places);

/** The mark of a fill by the mirror, which get-miss, UPDATE, SET looks the same as: it proves nothing, in either direction. */
export const filledKeyOf = (places: Leased): PhysicalKey => beside(FILLED, places);

type Marked = Pick<Places, 'fence' | 'family'>;

/** Sends the marks of an invalidation along with it; nobody waits for them. Keys of no table have no trigger that would ask. */
export const markSeen = (store: CacheStore, all: readonly Marked[]): void => mark(store, all, seenKeyOf);

/** The same of fills. */
export const markFilled = (store: CacheStore, all: readonly Marked[]): void => mark(store, all, filledKeyOf);

function mark(store: CacheStore, all: readonly Marked[], keyOf: (places: Leased) => PhysicalKey): void {
  for (const places of all) {
    if (sourcesOf(places.family).length > 0) store.mark?.(keyOf(places), SEEN_SECONDS * 1000);
  }
}

let recorded = false;

/** Runs an invalidation that rows of the outbox tell of, so that it leaves no mark. */
export function asRecorded<T>(invalidate: () => Promise<T>): Promise<T> {
  const before = recorded;
  recorded = true;
  try {
    return invalidate();
  } finally {
    recorded = before;
  }
}

/** Whether an invalidation begins now that rows of the outbox tell of. Only in the tick in which it was called. */
export const isRecorded = (): boolean => recorded;
