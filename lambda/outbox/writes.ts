import type { Acknowledgement, Cache } from '../cache/cache.ts';
import { requireTags } from '../cache/epochs.ts';
import { type Keyspace, locateCached, type Places } from '../cache/keyspace.ts';
import { asRecorded } from '../cache/seen.ts';
import { type Database, type Queryable, withTransaction } from '../database/pool.ts';
import { INVALIDATES_ITSELF } from '../database/triggers.ts';
import { createConfirmer, insertEntries, type OutboxEntry } from './outbox.ts';

/** A transaction that says what it makes outdated. The triggers are silent in it: what it does not say nobody does. */
export interface WriteTransaction extends Queryable {
  /** Names keys that every backend has to forget once this is committed. @throws InvalidKeyError; then nothing is committed. */
  invalidate(...keys: readonly string[]): void;
  /** The same of tags. */
  invalidateTag(...tags: readonly string[]): void;
}

export interface Written<T> {
  readonly value: T;
  /** `pending`: the old value may be read until the dispatcher has run. */
  readonly invalidation: Acknowledgement;
}

export interface Writes {
  /**
   * Runs `work` in a transaction, and after its commit makes every backend forget what it named. What was named is in the
   * outbox with the commit: a process that dies in between leaves it to the dispatcher.
   * @throws what `work` or the database throws. After an error of COMMIT the outcome is unknown.
   */
  withTransaction<T>(work: (tx: WriteTransaction) => Promise<T>): Promise<Written<T>>;
}

export interface WritesOptions {
  readonly database: Database;
  readonly keyspace: Keyspace;
  readonly cache: Pick<Cache, 'invalidate' | 'invalidateTag'>;
}

const BEGIN = `BEGIN; SELECT set_config('${INVALIDATES_ITSELF}', 'on', true)`;

/**
 * Writes whose invalidation cannot get lost.
 * @example
 * ```ts
 * import pg from 'pg';
 * import { createCache, createKeyspace, memoryStore } from 'cutover/cache';
 * import { createWrites, prepareOutbox } from 'cutover/outbox';
 *
 * const database = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * await prepareOutbox(database, []);
 * const keyspace = createKeyspace({ phase: 'isolated', env: 'production' });
 * const cache = createCache({ keyspace, store: memoryStore() });
 * const { withTransaction } = createWrites({ database, keyspace, cache });
 * await withTransaction(async (tx) => tx.invalidate('mocs:user:123:list')); // => { value: undefined, invalidation: 'done' }
 * await withTransaction(async (tx) => tx.invalidate('nobody:123')); // throws InvalidKeyError
 * await database.end();
 * ```
 */
export function createWrites({ database, keyspace, cache }: WritesOptions): Writes {
  const confirm = createConfirmer(database);
  return {
    async withTransaction<T>(work: (tx: WriteTransaction) => Promise<T>) {
      const keys = new Set<string>();
      const tags = new Set<string>();
      let rows: string[] = [];
      const value = await withTransaction(
        database,
        async (connection) => {
          const tx: WriteTransaction = {
            query: connection.query.bind(connection),
            invalidate(...named) {
              for (const key of named) keys.add(requireForgettable(locateCached(keyspace, key)));
            },
            invalidateTag(...named) {
              for (const tag of requireTags(named)) tags.add(tag);
            },
          };
          const result = await work(tx);
          const entries: OutboxEntry[] = [
            ...[...keys].map((name) => ({ kind: 'key' as const, name })),
            ...[...tags].map((name) => ({ kind: 'tag' as const, name })),
          ];
          if (entries.length > 0) rows = await insertEntries(connection, entries);
          return result;
        },
        BEGIN,
      );
      const invalidation = await invalidateAfterCommit(cache, [...keys], [...tags]);
      if (invalidation === 'done' && rows.length > 0) confirm(rows);
      return { value, invalidation };
    },
  };
}

/** Before the commit, since after it nothing may throw any more. @throws InvalidKeyError for tags that no key can end with. */
function requireForgettable({ legacy, tags }: Places): string {
  requireTags(tags);
  return legacy;
}

/** Arguments of one call; more of them than the stack takes would throw. */
const CHUNK = 1000;

/** The commit stands, whatever happens here: what is not confirmed is the dispatcher's. */
async function invalidateAfterCommit(
  cache: WritesOptions['cache'],
  keys: readonly string[],
  tags: readonly string[],
): Promise<Acknowledgement> {
  const chunks = (names: readonly string[]) =>
    Array.from({ length: Math.ceil(names.length / CHUNK) }, (_, index) =>
      names.slice(index * CHUNK, (index + 1) * CHUNK),
    );
  try {
    const outcomes = await Promise.all([
      ...chunks(keys).map((chunk) => asRecorded(() => cache.invalidate(...chunk))),
      ...chunks(tags).map((chunk) => cache.invalidateTag(...chunk)),
    ]);
    return outcomes.every((outcome) => outcome === 'done') ? 'done' : 'pending';
  } catch {
    return 'pending';
  }
}
