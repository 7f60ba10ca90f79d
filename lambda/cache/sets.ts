import { sourcesOf } from '../contract/families.ts';
import { InvalidKeyError, type Keyspace, type PhysicalKey, type Places } from './keyspace.ts';
import type { Lookup } from './lookup.ts';
import { requireTtl, type Ttl } from './ttl.ts';

/** What mirrored sets need of a store. Each step rejects when its outcome is unknown. */
export interface SetStore {
  /** Adds members, and lets the set live on for so long from now; infinitely, if it is not to expire. */
  add(key: PhysicalKey, members: readonly string[], ttlMs: number): Promise<void>;
  remove(key: PhysicalKey, members: readonly string[]): Promise<void>;
  /** None for a key that is not there. */
  members(key: PhysicalKey): Promise<readonly string[]>;
}

export interface SetsOptions {
  readonly keyspace: Keyspace;
  readonly store: SetStore;
  /** Told of each error of the store and of the family concerned, never of a key or a member. */
  readonly onError?: (error: unknown, family: string) => void;
}

/** Sets of strings that move with the phases: `teacher_sessions:{teacherId}`. */
export interface Sets {
  /**
   * Adds members where this phase writes: in phase `dual` under both keys.
   * @returns `unavailable` when that could not be confirmed.
   * @throws InvalidKeyError for a key of no family, or whose values a database owns; RangeError for the TTL.
   * @example
   * ```ts
   * import { createKeyspace, createSets, memorySets } from 'cutover/cache';
   *
   * const families = [{ name: 'devices', kind: 'state', onFlush: 'preserve' }] as const;
   * const sets = createSets({ keyspace: createKeyspace({ phase: 'dual', env: 'production', families }), store: memorySets() });
   * await sets.add('devices:7', ['phone'], { ttlSeconds: 3600 }); // => 'stored'
   * await sets.members('devices:7'); // => { outcome: 'hit', value: ['phone'] }
   * ```
   */
  add(
    key: string,
    members: readonly string[],
    options?: { readonly ttlSeconds?: Ttl },
  ): Promise<'stored' | 'unavailable'>;
  /**
   * Removes members from every place, whatever the phase: another process may write in another one.
   * @returns `unavailable` when that could not be confirmed.
   * @throws as `add`.
   * @example
   * ```ts
   * import { createKeyspace, createSets, memorySets } from 'cutover/cache';
   *
   * const families = [{ name: 'devices', kind: 'state', onFlush: 'preserve' }] as const;
   * const sets = createSets({ keyspace: createKeyspace({ phase: 'dual', env: 'production', families }), store: memorySets() });
   * await sets.add('devices:7', ['phone', 'laptop'], { ttlSeconds: 3600 });
   * await sets.remove('devices:7', ['phone']); // => 'stored'
   * await sets.members('devices:7'); // => { outcome: 'hit', value: ['laptop'] }
   * ```
   */
  remove(key: string, members: readonly string[]): Promise<'stored' | 'unavailable'>;
  /**
   * Reads where this phase reads: in phase `dual` the union of both. A set without members is a miss. Never throws because of the store.
   * @throws InvalidKeyError as `add`.
   * @example
   * ```ts
   * import { createKeyspace, createSets, memorySets } from 'cutover/cache';
   *
   * const families = [{ name: 'devices', kind: 'state', onFlush: 'preserve' }] as const;
   * const sets = createSets({ keyspace: createKeyspace({ phase: 'legacy', env: 'production', families }), store: memorySets() });
   * await sets.members('devices:7'); // => { outcome: 'miss' }
   * ```
   */
  members(key: string): Promise<Lookup<readonly string[]>>;
}

/**
 * Mirrored sets over a store.
 * @example
 * ```ts
 * import { connectRedis, createKeyspace, createSets, redisSets } from 'cutover/cache';
 *
 * const redis = connectRedis({ url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'sets' });
 * await redis.ready(5000);
 * const families = [{ name: 'devices', kind: 'state', onFlush: 'preserve' }] as const;
 * const keyspace = createKeyspace({ phase: 'prefixed', env: 'production', families });
 * const sets = createSets({ keyspace, store: redisSets(redis.send) });
 * await sets.add('devices:7', ['phone'], { ttlSeconds: 3600 }); // => 'stored'
 * await redis.send(['SMEMBERS', 'cw:production:devices:7']); // => ['phone']
 * await sets.remove('devices:7', ['phone']);
 * redis.close();
 * ```
 */
export function createSets({ keyspace, store, onError = () => {} }: SetsOptions): Sets {
  const locate = (key: string): Places => {
    const places = keyspace.locate(key);
    const { name } = places.family;
    const [source] = sourcesOf(places.family);
    if (!source) return places;
    throw new InvalidKeyError(
      `cache: family ${name} holds what table ${source.table} owns, and no sets of its own`,
    );
  };
  /** The legacy key first: whoever reads only one of them finds what the other has already. */
  const homes = ({ home, legacy, fillsLegacy }: Places) => (fillsLegacy ? [legacy, home] : [home]);
  const write = async (places: Places, work: () => Promise<unknown>) => {
    try {
      await work();
      return 'stored';
    } catch (error) {
      onError(error, places.family.name);
      return 'unavailable';
    }
  };

  return {
    async add(key, members, { ttlSeconds } = {}) {
      const places = locate(key);
      const ttlMs = requireTtl({ ttlSeconds, family: places.family, families: keyspace.families });
      if (members.length === 0) return 'stored';
      return write(places, () => Promise.all(homes(places).map((home) => store.add(home, members, ttlMs))));
    },
    async remove(key, members) {
      const places = locate(key);
      if (members.length === 0) return 'stored';
      const everywhere = [places.legacy, ...places.namespaced];
      return write(places, () => Promise.all(everywhere.map((home) => store.remove(home, members))));
    },
    async members(key) {
      const places = locate(key);
      try {
        const found = await Promise.all(homes(places).map((home) => store.members(home)));
        const value = [...new Set(found.flat())];
        return value.length > 0 ? { outcome: 'hit', value } : { outcome: 'miss' };
      } catch (error) {
        onError(error, places.family.name);
        return { outcome: 'unavailable' };
      }
    },
  };
}
