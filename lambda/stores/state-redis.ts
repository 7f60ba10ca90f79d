import { isBroken } from '../cache/breaker.ts';
import type { Keyspace, PhysicalKey } from '../cache/keyspace.ts';
import type { Send } from '../cache/redis-store.ts';
import { ReplayPendingError } from '../cache/replay-gate.ts';
import { isWrongType } from '../cache/wrong-type.ts';
import { type StatePlaces, statePlaces } from './places.ts';

/** What one place of a key holds. `foreign` is what no store of ours writes; then the database decides. */
export type Look =
  | { readonly kind: 'value'; readonly place: PhysicalKey; readonly bytes: string }
  | { readonly kind: 'absent' | 'foreign' | 'unavailable'; readonly place: PhysicalKey };

/** How to ask the Redis that holds state. */
export interface StateConnections {
  /** Reads and fills: refused at once while Redis is away, or may have lost what it confirmed and nobody has repeated it. */
  readonly reads: Send;
  /** What has to be said, whatever the breaker thinks. */
  readonly send: Send;
  /** The same on a connection that is opened for the occasion: tried once after `send`. */
  readonly sendFresh?: Send;
}

export interface StateRedisOptions {
  readonly keyspace: Keyspace;
  /** None: the database alone answers. */
  readonly connections?: StateConnections | undefined;
  /** Told of each error of Redis, and of what is foreign, by the key's family and never by the key. */
  readonly onTrouble?: (error: unknown, family: string) => void;
}

/** What happened to keys of state in this process so far. */
export interface StateCounts {
  /** Another type, or a value that none of our stores writes. */
  readonly foreign: number;
  /** Commands without an answer. */
  readonly unavailable: number;
}

/** The Redis of the stores of state: an error of it is a value, and never thrown at a store. */
export interface StateRedis {
  /** @throws InvalidKeyError for a key of no family of state. */
  locate(key: string): StatePlaces;
  /** Asks all places where this phase reads, at once; none where there is no Redis. */
  look(places: StatePlaces): Promise<Look[]>;
  /** Sends one command of a read or a fill. @returns `failed` where Redis does not answer, or refuses. */
  ask(
    family: string,
    command: readonly string[],
  ): Promise<{ readonly reply: unknown } | 'failed' | 'foreign'>;
  /** Sends a command for each place. @returns whether every one was confirmed. */
  say(
    places: { readonly family: string; readonly at: readonly PhysicalKey[] },
    commandFor: (place: PhysicalKey) => readonly string[],
  ): Promise<boolean>;
  /** Counts and tells of a value that none of our stores writes. */
  foundForeign(family: string): void;
  readonly counts: StateCounts;
}

/** Wraps the connections of a process for all of its stores of state. */
export function createStateRedis({
  keyspace,
  connections,
  onTrouble = () => {},
}: StateRedisOptions): StateRedis {
  const counts = { foreign: 0, unavailable: 0 };

  const failed = (error: unknown, family: string): 'failed' | 'foreign' => {
    const isForeign = isWrongType(error);
    counts[isForeign ? 'foreign' : 'unavailable'] += 1;
    // The breaker and the gate have told why already.
    if (!isBroken(error) && !(error instanceof ReplayPendingError)) onTrouble(error, family);
    return isForeign ? 'foreign' : 'failed';
  };

  const ask: StateRedis['ask'] = async (family, command) => {
    if (!connections) return 'failed';
    try {
      return { reply: await connections.reads(command) };
    } catch (error) {
      return failed(error, family);
    }
  };

  return {
    counts,
    ask,
    locate: (key) => statePlaces(keyspace, key),
    look: ({ family, read }) =>
      Promise.all(
        (connections ? read : []).map(async (place): Promise<Look> => {
          const answer = await ask(family, ['GET', place]);
          if (answer === 'failed') return { kind: 'unavailable', place };
          if (answer === 'foreign') return { kind: 'foreign', place };
          return typeof answer.reply === 'string'
            ? { kind: 'value', place, bytes: answer.reply }
            : { kind: 'absent', place };
        }),
      ),
    async say({ family, at }, commandFor) {
      if (!connections) return true;
      const { send, sendFresh = send } = connections;
      const sayOnce = async (place: PhysicalKey) => {
        const command = commandFor(place);
        await send(command).catch(() => sendFresh(command));
      };
      const outcomes = await Promise.allSettled(at.map(sayOnce));
      for (const outcome of outcomes) if (outcome.status === 'rejected') failed(outcome.reason, family);
      return outcomes.every(({ status }) => status === 'fulfilled');
    },
    foundForeign(family) {
      counts.foreign += 1;
      onTrouble(new Error('stores: a key holds a value that none of our stores writes'), family);
    },
  };
}
