import { LRUCache } from 'lru-cache';
import { CutoverError } from '../contract/errors.ts';
import { FAMILIES, type Family, familyNameOf, requireConsistent, tagsOfKey } from '../contract/families.ts';
import { namespacesIn, prefixIn } from '../contract/namespaces.ts';
import type { Phase } from './phase.ts';

declare const brand: unique symbol;
/** What a handler names: `mocs:user:123:list`. */
export type LogicalKey = string & { readonly [brand]: 'logical' };
/** What Redis stores: `v2:mocs:user:123:list`. */
export type PhysicalKey = string & { readonly [brand]: 'physical' };

/** A key that no entry can have: empty, too long, with control characters, namespaced, or of no family. */
export class InvalidKeyError extends CutoverError {
  override readonly name = 'InvalidKeyError';
  readonly code = 'CUTOVER_INVALID_KEY';
}

/** The physical keys of one logical key. */
export interface Places {
  readonly family: Family;
  /** Where this phase reads and fills. */
  readonly home: PhysicalKey;
  /** What a filler of `home` must hold: `home` itself in a namespace, `fence` for the legacy key. */
  readonly leaseAt: PhysicalKey;
  /** The key as the legacy backend knows it (`K` in the design). */
  readonly legacy: PhysicalKey;
  /** The lease beside the legacy key (`C`): it shares the legacy key's slot in a cluster. */
  readonly fence: PhysicalKey;
  /** The key in every namespace in use (`N`). */
  readonly namespaced: readonly PhysicalKey[];
  /** Whether a miss takes over what the legacy key holds, and a load fills it, too: phase `dual`. */
  readonly fillsLegacy: boolean;
  /** All of them in the order of an invalidation: sources before what is filled from them. */
  readonly invalidation: readonly PhysicalKey[];
  /** The tags that a change of this key's row makes outdated, too. */
  readonly tags: readonly string[];
  /** Whether lease and legacy key share a slot, as a cluster's scripts need it. */
  readonly sharesSlot: boolean;
}

/** The places of many keys in the order of an invalidation: leases, legacy keys, namespaced keys. */
export function invalidationSteps(all: readonly Places[]): (readonly PhysicalKey[])[] {
  return [
    all.map(({ fence }) => fence),
    all.map(({ legacy }) => legacy),
    all.flatMap(({ namespaced }) => namespaced),
  ];
}

/** The rule from a logical key to its physical keys; pure. */
export interface Keyspace {
  readonly phase: Phase;
  readonly env: string;
  readonly families: readonly Family[];
  /** All that are in use, whatever the phase: an invalidation names them all. */
  readonly namespaces: readonly string[];
  /** @throws InvalidKeyError naming the key and what is wrong with it. */
  locate(key: string): Places;
  /** The same for a key of somebody else's choosing: undefined where `locate` would throw. */
  tryLocate(key: string): Places | undefined;
  /** The logical key of a physical one: strips a namespace in use, if the key carries one. */
  logicalOf(physical: string): LogicalKey;
}

export interface KeyspaceOptions {
  /** Of every family that has none of its own. */
  readonly phase: Phase;
  /** The name in `cw:{env}:`, by convention `NODE_ENV`. */
  readonly env: string;
  readonly families?: readonly Family[];
}

/** The longest key, and the longest tag. */
export const MAX_KEY_BYTES = 512;

/** Keys whose places are remembered, 6 MB of them at the most: working them out takes a tenth of a hit's time. */
const MAX_KNOWN = 5000;

/** A hit needs only `home`: the others are worked out when they are asked for. */
class PlacesOfKey implements Places {
  readonly family: Family;
  readonly legacy: PhysicalKey;
  readonly home: PhysicalKey;
  readonly #space: Space;

  constructor(key: string, { family, prefix }: Home, space: Space) {
    this.family = family;
    this.legacy = key as PhysicalKey;
    this.home = (prefix + key) as PhysicalKey;
    this.#space = space;
  }

  get fillsLegacy(): boolean {
    return (this.family.phase ?? this.#space.phase) === 'dual';
  }

  get leaseAt(): PhysicalKey {
    return this.home === this.legacy ? this.fence : this.home;
  }

  get fence(): PhysicalKey {
    return `cutover:lease:{${hashTag(this.legacy)}}:${this.legacy}` as PhysicalKey;
  }

  get namespaced(): PhysicalKey[] {
    return this.#space.namespaces.map((namespace) => (namespace + this.legacy) as PhysicalKey);
  }

  get invalidation(): PhysicalKey[] {
    return [this.fence, this.legacy, ...this.namespaced];
  }

  get tags(): string[] {
    return tagsOfKey(this.legacy, this.#space.families);
  }

  get sharesSlot(): boolean {
    return hashTag(this.fence) === hashTag(this.legacy);
  }
}

type Space = Pick<Keyspace, 'phase' | 'families' | 'namespaces'>;

/** A family, and what is put before its keys. */
interface Home {
  readonly family: Family;
  readonly prefix: string;
}

/**
 * The keyspace of a phase. Invalidation names the same keys in every phase: during a canary two phases run
 * at once, and what one of them filled the other has to remove.
 * @example
 * ```ts
 * import { createKeyspace } from 'cutover/cache';
 *
 * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
 * const { home, namespaced } = keyspace.locate('mocs:user:123:list');
 * home; // => 'v2:mocs:user:123:list'
 * namespaced; // => ['v2:mocs:user:123:list', 'cw:production:mocs:user:123:list']
 * keyspace.locate('orders:123'); // throws InvalidKeyError
 * ```
 */
export function createKeyspace({ phase, env, families = FAMILIES }: KeyspaceOptions): Keyspace {
  requireConsistent(families);
  /** By the family's name: every read asks. */
  const homes = new Map(
    families.map((family): [string, Home] => [
      family.name,
      { family, prefix: prefixIn(family.phase ?? phase, family, env) },
    ]),
  );
  const space: Space = {
    phase,
    families,
    namespaces: namespacesIn(env),
  };

  const known = new LRUCache<string, Places>({ max: MAX_KNOWN });

  const tryLocate = (key: string) => {
    const before = known.get(key);
    if (before) return before;
    const home = isPlainName(key) ? homes.get(familyNameOf(key)) : undefined;
    const places = home && new PlacesOfKey(key, home, space);
    if (places) known.set(key, places);
    return places;
  };

  return {
    phase,
    env,
    families,
    namespaces: space.namespaces,
    tryLocate,
    locate(key) {
      const places = tryLocate(key);
      if (places) return places;
      throw new InvalidKeyError(
        `cache: the key ${JSON.stringify(key.slice(0, 80))} is refused: ${complaintOf(key)}`,
      );
    },
    logicalOf(physical) {
      const namespace = space.namespaces.find((prefix) => physical.startsWith(prefix)) ?? '';
      return physical.slice(namespace.length) as LogicalKey;
    },
  };
}

/**
 * The places of a key that a cache may hold.
 * @throws InvalidKeyError for a key of no family, or of a family of state: it has stores of its own, since here a wrong type
 * would be unlinked, and an invalidation would end a session.
 */
export function locateCached(keyspace: Pick<Keyspace, 'locate'>, key: string): Places {
  const places = keyspace.locate(key);
  if (places.family.kind === 'cache') return places;
  throw new InvalidKeyError(
    `cache: ${places.family.name} is a family of state, which no cache may hold or remove`,
  );
}

const RESERVED = ['v2:', 'cw:', 'cutover:'];

/** Why a key is in no place. */
function complaintOf(key: string): string {
  if (key === '') return 'it is empty';
  if (!isPlainName(key)) return `it has control characters, or is longer than ${MAX_KEY_BYTES} bytes`;
  return RESERVED.some((prefix) => key.startsWith(prefix))
    ? 'it carries a namespace; name the logical key'
    : 'it is of no family; add one to lambda/contract/families.ts';
}

/** Whether a key is neither empty nor too long and has no control characters; regular expressions took half of a read's time here. */
export function isPlainName(key: string): boolean {
  const { length } = key;
  if (length === 0 || length > MAX_KEY_BYTES) return false;
  let bytes = length;
  for (let at = 0; at < length; at += 1) {
    const code = key.charCodeAt(at);
    if (code >= 0x20 && code < 0x7f) continue;
    if (code <= 0x9f) return false;
    // Bytes of UTF-8 beyond the first; half of a surrogate pair has one of its own.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes <= MAX_KEY_BYTES;
}

/** What Redis Cluster hashes of a key: the first non-empty `{tag}`, else all of it. */
function hashTag(key: string): string {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}
