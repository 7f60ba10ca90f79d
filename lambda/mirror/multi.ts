import type { Places } from '../cache/keyspace.ts';
import { fillCommand } from '../cache/redis-store.ts';
import { type Argument, atMost, commandName, isRead, plainSetOf, stringsOf } from './commands.ts';
import type { MirrorProtocol } from './protocol.ts';

/** What a transaction of node-redis has to offer. */
export interface Transaction {
  addCommand(args: (string | Buffer)[]): unknown;
  exec(...args: unknown[]): Promise<unknown[]>;
}

export interface MultiOptions {
  readonly protocol: MirrorProtocol;
  /** The places of a key of a cache family; undefined for every other text. */
  readonly locate: (text: string) => Places | undefined;
  /** Rejects when the Redis is in use under another `env`. */
  readonly claimed: () => Promise<void>;
  /** For how long the outbox remembers what was invalidated: no entry may live longer. */
  readonly longestSeconds: number;
}

interface Fill {
  readonly places: Places;
  readonly value: Argument;
}

const EXECUTES = new Set(['EXEC', 'EXECTYPED', 'EXECASPIPELINE', 'EXECASPIPELINETYPED']);

/**
 * Wraps a MULTI: a SET is a fill under its token, or removes the key; everything else runs as it is. What it touches
 * of the cached keys is removed in the same EXEC, so that nobody reads it, and then from the namespaces.
 */
export function mirrorMulti<T extends object>(
  transaction: T,
  { protocol, locate, claimed, longestSeconds }: MultiOptions,
): T {
  const raw = transaction as T & Transaction;
  const touched = new Set<Places>();
  const fills = new Map<number, Fill>();
  /** The place in the reply of each SET that became another command. */
  const sets: number[] = [];
  let queued = 0;

  const execute = async (run: () => Promise<unknown>) => {
    if (touched.size > 0 || fills.size > 0) await claimed();
    for (const { fence, legacy } of touched) {
      raw.addCommand(['UNLINK', fence]);
      raw.addCommand(['UNLINK', legacy]);
    }
    try {
      const replies = await run();
      if (!Array.isArray(replies)) return replies;
      for (const [index, { places, value }] of fills) {
        await protocol.afterFill(places, { value, stored: replies[index] === 1 });
      }
      for (const index of sets) replies[index] = 'OK';
      return replies.slice(0, queued);
    } catch (error) {
      // One command may have failed and the others not, or only the reply be lost.
      for (const { places } of fills.values()) touched.add(places);
      throw error;
    } finally {
      if (touched.size > 0) await protocol.invalidate([...touched]);
    }
  };

  const queue = (name: string, args: readonly unknown[], original: () => unknown) => {
    const index = queued;
    queued += 1;
    const set = plainSetOf(name, args);
    const places = set && locate(set.key);
    if (!set || !places) {
      const changed = isRead(name) ? [] : stringsOf(args).flatMap((text) => locate(text) ?? []);
      for (const each of changed) touched.add(each);
      original();
      return;
    }
    sets.push(index);
    const token = protocol.take(set.key);
    const { fence: leaseAt, legacy: home } = places;
    raw.addCommand(
      token
        ? fillCommand({ leaseAt, token, home, ...set, expiry: atMost(longestSeconds, set.expiry) })
        : ['UNLINK', home],
    );
    if (token) fills.set(index, { places, value: set.value });
    else touched.add(places);
  };

  const wrapped: T = new Proxy(transaction, {
    get(target, property) {
      const method = Reflect.get(target, property, target) as unknown;
      if (typeof method !== 'function' || typeof property !== 'string') return method;
      return (...args: unknown[]) => {
        const original = () => method.apply(target, args) as unknown;
        const name = commandName(property);
        if (EXECUTES.has(name)) return execute(original as () => Promise<unknown>);
        queue(name, args, original);
        return wrapped;
      };
    },
  });
  return wrapped;
}
