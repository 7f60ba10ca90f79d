import type { Database, Transaction } from '../../../lambda/database/pool.ts';
import { createPlans, type Plans } from './plans.ts';
import type { Turns } from './turns.ts';
import type { Pause } from './wire.ts';

/** The database as one process of a schedule sees it: its statements wait for their turns. */
export interface ProcessDatabase {
  /** Each statement takes a turn, and its answer another. */
  readonly pool: Database;
  /** The same; but all that a transaction does before its COMMIT, which nobody else can see, is one turn. */
  readonly writer: Database;
  /** The answers of loads that wait. */
  readonly pauses: Plans<Pause>;
  /** The process is gone: it sends and hears nothing more, and what it had begun is rolled back. */
  die(): Promise<void>;
}

export interface ProcessDatabaseOptions {
  readonly by: string;
  readonly takeAfter: Turns['takeAfter'];
  /** The lock on the one row of a schedule. */
  readonly rowLock: RowLock;
  readonly onCommit: () => void;
}

/** Resolves when the row is free, and locks it. @returns what frees it. */
export type RowLock = () => Promise<() => void>;

/** Who comes to a locked row waits here and not in the database: that wait would end in no turn. */
export function createRowLock(): RowLock {
  let last = Promise.resolve();
  return async () => {
    const before = last;
    let free = () => {};
    last = new Promise((resolve) => {
      free = resolve;
    });
    await before;
    return free;
  };
}

/** How a pause names the load of the row. */
export const LOAD = 'load';
const isLoad = (text: string) => text.startsWith('SELECT version');

/** What a process that is gone hears. */
const never = new Promise<never>(() => {});

/** @param pool the real one, which all processes share. */
export function createProcessDatabase(
  pool: Database,
  { by, takeAfter, rowLock, onCommit }: ProcessDatabaseOptions,
): ProcessDatabase {
  let alive = true;
  const pauses = createPlans<Pause>();
  /** What this process has open, and how to close it without an answer. */
  const open = new Map<Transaction, () => void>();

  const inTurns = <T>(label: string, run: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      takeAfter(0, `${by} ${label}`, async () => {
        if (!alive) return;
        const answer = await run().then(
          (value) => () => resolve(value),
          (error: unknown) => () => reject(error),
        );
        const others = pauses.next(isLoad(label) ? LOAD : label)?.others ?? 0;
        takeAfter(others, `${by} hears of ${label}`, () => {
          if (alive) answer();
        });
      });
    });

  /** A connection whose statements, but for those that pass, take turns. */
  const paced = (
    connection: Transaction,
    { passes, ended }: { passes: (text: string) => boolean; ended: () => void },
  ): Transaction =>
    wrapped(connection, {
      query: (send, args) => {
        const text = textOf(args);
        if (!alive) return never;
        if (passes(text)) return send();
        const ends = text === 'COMMIT' || text === 'ROLLBACK';
        return inTurns(text, async () => {
          const reply = await send();
          if (ends) ended();
          if (text === 'COMMIT') onCommit();
          return reply;
        });
      },
      release: (release) => {
        open.delete(connection);
        return release();
      },
    });

  const connect = async (options: Omit<Parameters<typeof paced>[1], 'ended'>, ended = () => {}) => {
    const connection = await pool.connect();
    open.set(connection, ended);
    return paced(connection, { ...options, ended });
  };

  /** One turn goes on until the transaction asks for its COMMIT. */
  const begin = async (): Promise<Transaction> => {
    const free = await rowLock();
    return new Promise((resolve, reject) => {
      takeAfter(0, `${by} writes`, async () => {
        if (!alive) return free();
        await new Promise<void>((ready) => {
          const passes = (text: string) => {
            const ends = text === 'COMMIT' || text === 'ROLLBACK';
            if (ends) ready();
            return !ends;
          };
          connect({ passes }, free).then(resolve, (error: unknown) => {
            free();
            ready();
            reject(error);
          });
        });
      });
    });
  };

  const query = (send: () => unknown, args: readonly unknown[]) =>
    alive ? inTurns(textOf(args), async () => send()) : never;

  return {
    pool: wrapped(pool, {
      query,
      connect: () => inTurns('connects', () => connect({ passes: () => false })),
    }),
    writer: wrapped(pool, { query, connect: () => (alive ? begin() : never) }),
    pauses,
    async die() {
      alive = false;
      for (const [connection, ended] of open) {
        await connection.query('ROLLBACK');
        connection.release(true);
        ended();
      }
      open.clear();
    },
  };
}

type Methods = Readonly<Record<string, (call: () => unknown, args: readonly unknown[]) => unknown>>;

/** The same object, but that these of its methods are called so. */
function wrapped<T extends object>(object: T, methods: Methods): T {
  return new Proxy(object, {
    get(target, property) {
      const value = Reflect.get(target, property, target) as unknown;
      if (typeof value !== 'function') return value;
      const method = typeof property === 'string' ? methods[property] : undefined;
      if (!method) return value.bind(target);
      return (...args: unknown[]) => method(() => value.apply(target, args), args);
    },
  });
}

function textOf([statement]: readonly unknown[]): string {
  const text = typeof statement === 'object' && statement && 'text' in statement ? statement.text : statement;
  return String(text).trim().split('\n')[0] ?? '';
}
