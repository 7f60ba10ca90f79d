/** A database whose answers to reads of a list, of flags or of a session can be held back: what forces the races of a late fill. */
import type { Database } from '../../lambda/database/pool.ts';
import { gate } from './gate.ts';

const READS = /^(list-|flag|session$)/;

/** Each answer to such a read waits for `after`, which is told the query's name, such as `list-mocs`. */
export function afterReads(database: Database, after: (query: string) => Promise<void>): Database {
  return new Proxy(database, {
    get(target, property) {
      const value = Reflect.get(target, property, target) as unknown;
      if (property !== 'query') return typeof value === 'function' ? value.bind(target) : value;
      return async (query: { name?: string }, ...args: never[]) => {
        const result = await (target.query as (...all: unknown[]) => Promise<unknown>)(query, ...args);
        if (query.name !== undefined && READS.test(query.name)) await after(query.name);
        return result;
      };
    },
  });
}

/** Once armed, the next answer to a read of a list, or to the query of that name, is held back until it is released. */
export function holding(database: Database) {
  let next: { query: string; answered: ReturnType<typeof gate>; let: ReturnType<typeof gate> } | undefined;
  return {
    database: afterReads(database, async (query) => {
      const now = next;
      if (!now || !query.startsWith(now.query)) return;
      next = undefined;
      now.answered.open();
      await now.let.held;
    }),
    arm(query = 'list-') {
      const now = { query, answered: gate(), let: gate() };
      next = now;
      return { answered: now.answered.held, release: now.let.open };
    },
  };
}
