import { prefixIn } from '../contract/namespaces.ts';
import { InvalidKeyError, type Keyspace, type PhysicalKey } from './keyspace.ts';

/**
 * Where a key of state is. Each place is in a slot of its own in a cluster, and so needs a command of its own.
 * During a canary the phase beside this one runs, too: what one of them wrote in its own home alone the other has to understand.
 */
export interface StatePlaces {
  /** How logs and counters name the key: never by itself. */
  readonly family: string;
  /** All are asked, at once: none is right because it was found first. */
  readonly read: readonly PhysicalKey[];
  /** Where this phase stores. */
  readonly write: readonly PhysicalKey[];
  /** Where any phase that can run beside this one reads: what may not be believed any more is said in all of them. */
  readonly everywhere: readonly PhysicalKey[];
}

/**
 * The places of a key of state, the namespaced one first.
 * @throws InvalidKeyError for a key of no family, and for one of a cache.
 */
export function statePlaces(keyspace: Pick<Keyspace, 'locate' | 'phase' | 'env'>, key: string): StatePlaces {
  const { family, home, legacy, fillsLegacy } = keyspace.locate(key);
  if (family.kind !== 'state') {
    throw new InvalidKeyError(`stores: ${family.name} is a family of a cache, which holds no state`);
  }
  const own = fillsLegacy ? [home, legacy] : [home];
  const isIsolated = (family.phase ?? keyspace.phase) === 'isolated';
  const namespaced = (prefixIn('prefixed', family, keyspace.env) + legacy) as PhysicalKey;
  return {
    family: family.name,
    read: own,
    write: own,
    everywhere: isIsolated ? [legacy] : [namespaced, legacy],
  };
}
