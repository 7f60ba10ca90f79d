/**
 * The families of keys: the one file that a team edits. Mirror map, flush and preserve patterns, and what
 * else names keys derive from this registry.
 */

/** All keys of one kind. */
export interface Family {
  /** How logs and reports name it; the keys begin with `{name}:`. */
  readonly name: string;
  /** `cache` can be lost at any moment; `state` (a session, a quota) cannot, and is never isolated. */
  readonly kind: 'cache' | 'state';
  /** Whether a flush before a rollout stage deletes the family or keeps it. */
  readonly onFlush: 'flush' | 'preserve';
  /** Time to live of an entry that the cache fills; required of a cache family. */
  readonly ttlSeconds?: number;
  /** The table that the entries are loaded from; `{column}` in the template is a column of the row. */
  readonly source?: { readonly table: string; readonly keyTemplate: string };
}

/** The API's collections, each a family of cached lists. */
export const COLLECTIONS = ['mocs', 'gallery', 'wishlist', 'albums'] as const;
export type Collection = (typeof COLLECTIONS)[number];

const LIST_TTL_SECONDS = 300;

/** The registry. The preserved families are those of requirement R4 and, from R24, those that hold state. */
export const FAMILIES: readonly Family[] = [
  ...COLLECTIONS.map(
    (name): Family => ({
      name,
      kind: 'cache',
      onFlush: 'flush',
      ttlSeconds: LIST_TTL_SECONDS,
      source: { table: name, keyTemplate: `${name}:user:{user_id}:list` },
    }),
  ),
  ...['sessions', 'ratelimit', 'user-profiles', 'rl', 'secure_session', 'csrf'].map(
    (name): Family => ({ name, kind: 'state', onFlush: 'preserve' }),
  ),
];

/** By name, made once a registry: every read of the cache asks. */
const indexes = new WeakMap<readonly Family[], ReadonlyMap<string, Family>>();

/**
 * The family that a logical key belongs to, or undefined for a key that the registry does not map.
 * @example
 * ```ts
 * import { familyOf } from 'cutover/families';
 *
 * familyOf('mocs:user:123:list')?.kind; // => 'cache'
 * familyOf('sessions:abc')?.onFlush; // => 'preserve'
 * familyOf('mocs'); // => undefined
 * ```
 */
export function familyOf(key: string, families: readonly Family[] = FAMILIES): Family | undefined {
  let byName = indexes.get(families);
  if (!byName) {
    byName = new Map(families.map((family) => [family.name, family]));
    indexes.set(families, byName);
  }
  const end = key.indexOf(':');
  return end < 0 ? undefined : byName.get(key.slice(0, end));
}

/**
 * The glob pattern, in Redis's terms, of a family's logical keys.
 * @example
 * ```ts
 * import { FAMILIES, patternOf } from 'cutover/families';
 *
 * const flushed = FAMILIES.filter(({ onFlush }) => onFlush === 'flush');
 * flushed.map(patternOf); // => ['mocs:*', 'gallery:*', 'wishlist:*', 'albums:*']
 * ```
 */
export function patternOf(family: Family): string {
  return `${family.name}:*`;
}
