import type { Keyspace, Places } from '../cache/keyspace.ts';
import { fillCommand } from '../cache/redis-store.ts';
import { type Argument, commandName, isRead, plainSetOf, stringsOf } from './commands.ts';
import type { MirrorProtocol } from './protocol.ts';

/** What a transaction of node-redis has to offer. */
export interface Transaction {
  addCommand(args: (string | Buffer)[]): unknown;
  exec(...args: unknown[]): Promise<unknown[]>;
}

interface MultiOptions {
  readonly protocol: MirrorProtocol;
  readonly keyspace: Keyspace;
}

const EXECUTES = new Set(['EXEC', 'EXECTYPED', 'EXECASPIPELINE', 'EXECASPIPELINETYPED']);

/**
 * Wraps a MULTI: a SET is a fill under its token, or removes the key; everything else on a mapped key runs as
 * it is. What was touched is invalidated after the EXEC and before its caller goes on.
 */
export function mirrorMulti<T extends object>(transaction: T, { protocol, keyspace }: MultiOptions): T {
  const raw = transaction as T & Transaction;
  const touched = new Set<Places>();
  /** The place in the reply of each SET that became another command. */
  const sets = new Map<number, { places: Places; filled: Argument | undefined }>();
  let queued = 0;

  const execute = async (run: () => Promise<unknown>) => {
    try {
      const replies = await run();
      if (!Array.isArray(replies)) return replies;
      await Promise.all(
        [...sets].map(async ([index, { places, filled }]) => {
          if (filled !== undefined && replies[index] === 1) await protocol.afterFill(places, filled);
          else touched.add(places);
          replies[index] = 'OK';
        }),
      );
      return replies;
    } finally {
      // Also when EXEC failed: it may have been executed and only its reply be lost.
      if (touched.size > 0) await protocol.invalidate([...touched]);
    }
  };

  const queue = (name: string, args: readonly unknown[], original: () => unknown) => {
    const set = plainSetOf(name, args);
    const places = set && keyspace.tryLocate(set.key);
    const index = queued;
    queued += 1;
    if (set && places?.family.kind === 'cache') {
      const token = protocol.take(set.key);
      sets.set(index, { places, filled: token && set.value });
      const { fence: leaseAt, legacy: home } = places;
      raw.addCommand(token ? fillCommand({ leaseAt, token, home, ...set }) : ['UNLINK', home]);
      return;
    }
    if (!isRead(name)) {
      for (const text of stringsOf(args)) {
        const mapped = keyspace.tryLocate(text);
        if (mapped?.family.kind === 'cache') touched.add(mapped);
      }
    }
    original();
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
