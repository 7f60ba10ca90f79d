import type { Phase } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import { columnsOf, fillTemplate, literalsOf, rowsOf } from './template.ts';

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
  /** The table that the entries are loaded from, or several where the family has several kinds of keys. */
  readonly source?: Source | readonly Source[];
  /** The tables that its tagged entries are loaded from: a changed row makes the tag's entries outdated. */
  readonly tagSources?: readonly TagSource[];
  /** Where the family's migration stands, if it differs from the others'. */
  readonly phase?: Phase;
  /** The switch that says so at run time: the family is `prefixed` where it is on, else `legacy`. */
  readonly phaseSwitch?: 'CW_RL_PREFIX_ENABLED';
  /**
   * What a backfill does with a key of state that is in both homes. Default: it leaves both. `newest`: the higher version of two
   * records wins, and what has ended stays so; `union`: of two sets; `counts`: of two hashes of lambda/stores/analytics-record.ts.
   */
  readonly joins?: 'newest' | 'union' | 'counts';
}

/** Which key a row of a table is loaded under: `{column}` in the template is a column of the row. */
export interface Source {
  readonly table: string;
  readonly keyTemplate: string;
}

/** Which tag a row of a table belongs to: `{column}` in the template is a column of the row. */
export interface TagSource {
  readonly table: string;
  readonly tagTemplate: string;
}

/** The API's collections, each a family of cached lists. */
export const COLLECTIONS = ['mocs', 'gallery', 'wishlist', 'albums'] as const;
export type Collection = (typeof COLLECTIONS)[number];

const LIST_TTL_SECONDS = 300;
const FLAG_TTL_SECONDS = 300;
const QUERY_TTL_SECONDS = 300;

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
  {
    name: 'feature_flags',
    kind: 'cache',
    onFlush: 'flush',
    ttlSeconds: FLAG_TTL_SECONDS,
    source: { table: 'feature_flags', keyTemplate: 'feature_flags:{environment}' },
  },
  {
    name: 'flag',
    kind: 'cache',
    onFlush: 'flush',
    ttlSeconds: FLAG_TTL_SECONDS,
    source: [
      { table: 'feature_flags', keyTemplate: 'flag:{flag_key}' },
      { table: 'feature_flag_overrides', keyTemplate: 'flag:{flag_key}:user:{user_id}' },
    ],
  },
  { name: 'query_cache', kind: 'cache', onFlush: 'flush', ttlSeconds: QUERY_TTL_SECONDS },
  ...['sessions', 'ratelimit', 'user-profiles', 'csrf', 'session', 'access_code'].map(
    (name): Family => ({ name, kind: 'state', onFlush: 'preserve' }),
  ),
  { name: 'secure_session', kind: 'state', onFlush: 'preserve', joins: 'newest' },
  { name: 'teacher_sessions', kind: 'state', onFlush: 'preserve', joins: 'union' },
  { name: 'analytics', kind: 'state', onFlush: 'preserve', joins: 'counts' },
  { name: 'rl', kind: 'state', onFlush: 'preserve', phaseSwitch: 'CW_RL_PREFIX_ENABLED' },
];

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
  const wanted = familyNameOf(key);
  return families.find(({ name }) => name === wanted);
}

/**
 * What a key says of its family: all before the first colon; empty where there is none.
 * @example
 * ```ts
 * import { familyNameOf } from 'cutover/families';
 *
 * familyNameOf('mocs:user:123:list'); // => 'mocs'
 * familyNameOf('mocs'); // => ''
 * ```
 */
export const familyNameOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf(':')));

/**
 * The glob pattern, in Redis's terms, of a family's logical keys.
 * @example
 * ```ts
 * import { FAMILIES, patternOf } from 'cutover/families';
 *
 * const flushed = FAMILIES.filter(({ onFlush }) => onFlush === 'flush');
 * flushed.map(patternOf); // => ['mocs:*', 'gallery:*', 'wishlist:*', 'albums:*', 'feature_flags:*', 'flag:*', 'query_cache:*']
 * ```
 */
export function patternOf(family: Family): string {
  return `${family.name}:*`;
}

/**
 * The tables that a family's entries are loaded from; none where the cache itself owns them.
 * @example
 * ```ts
 * import { familyOf, sourcesOf } from 'cutover/families';
 *
 * const family = familyOf('mocs:user:123:list');
 * family && sourcesOf(family); // => [{ table: 'mocs', keyTemplate: 'mocs:user:{user_id}:list' }]
 * ```
 */
export const sourcesOf = ({ source = [] }: Family): readonly Source[] =>
  Array.isArray(source) ? source : [source as Source];

const MIN_RETENTION_SECONDS = 15 * 60;

/**
 * For how long an invalidation has to be remembered, in seconds: as long as the longest-lived entry of a cache family,
 * and at least 15 minutes. An entry that a restarted Redis brings back is no older.
 * @example
 * ```ts
 * import { retentionSeconds } from 'cutover/families';
 *
 * retentionSeconds([{ name: 'lists', kind: 'cache', onFlush: 'flush', ttlSeconds: 3600 }]); // => 3600
 * ```
 */
export function retentionSeconds(families: readonly Family[] = FAMILIES): number {
  const ttls = families.filter(({ kind }) => kind === 'cache').map(({ ttlSeconds = 0 }) => ttlSeconds);
  return Math.max(MIN_RETENTION_SECONDS, ...ttls);
}

/**
 * The tags that a change of this key's row makes outdated, as far as the key itself tells the row's columns.
 * @example
 * ```ts
 * import { tagsOfKey } from 'cutover/families';
 *
 * const families = [
 *   { name: 'lists', kind: 'cache', onFlush: 'flush', ttlSeconds: 60, source: { table: 'lists', keyTemplate: 'lists:{user_id}' } },
 *   { name: 'query', kind: 'cache', onFlush: 'flush', ttlSeconds: 60, tagSources: [{ table: 'lists', tagTemplate: 'user:{user_id}' }] },
 * ] as const;
 * tagsOfKey('lists:123', families); // => ['user:123']
 * ```
 */
export function tagsOfKey(key: string, families: readonly Family[] = FAMILIES): string[] {
  const family = familyOf(key, families);
  const tags = (family ? sourcesOf(family) : []).flatMap(({ table, keyTemplate }) => {
    const related = families.flatMap(({ tagSources = [] }) =>
      tagSources.filter((each) => each.table === table),
    );
    const rows = related.length > 0 ? rowsOf(keyTemplate, key) : [];
    return related.flatMap(({ tagTemplate }) => rows.map((row) => fillTemplate(tagTemplate, row)));
  });
  return [...new Set(tags)].filter((tag) => tag !== undefined);
}

/**
 * @throws ConfigurationError for a template that a key's columns cannot be read from, and for a tag whose columns the keys of its
 * table do not tell: the runtime's own transactions and the mirror know a row by its key.
 * @example
 * ```ts
 * import { requireConsistent } from 'cutover/families';
 *
 * const source = { table: 'lists', keyTemplate: 'lists:{user_id}' };
 * const tagSources = [{ table: 'lists', tagTemplate: 'item:{item_id}' }];
 * requireConsistent([{ name: 'lists', kind: 'cache', onFlush: 'flush', ttlSeconds: 60, source, tagSources }]); // throws ConfigurationError
 * ```
 */
export function requireConsistent(families: readonly Family[]): void {
  const tagSources = families.flatMap((family) => family.tagSources ?? []);
  const sources = families.flatMap((family) =>
    sourcesOf(family).map((source) => ({ name: family.name, ...source })),
  );
  for (const { name, table, keyTemplate } of sources) {
    const refuse = (what: string): never => {
      throw new ConfigurationError(`families: ${name}: ${what}`);
    };
    if (literalsOf(keyTemplate).slice(1, -1).includes('')) {
      refuse(`keyTemplate ${keyTemplate} has two columns side by side; put something between them`);
    }
    const told = columnsOf(keyTemplate);
    for (const { tagTemplate } of tagSources.filter((each) => each.table === table)) {
      const missing = columnsOf(tagTemplate).find((column) => !told.includes(column));
      if (missing === undefined) continue;
      refuse(
        `tagTemplate ${tagTemplate} of table ${table} names column ${missing}, which keyTemplate ${keyTemplate} does not tell; use one of ${told.join(', ')}`,
      );
    }
  }
}
