import type { Acknowledgement } from '../cache/cache.ts';
import { type Database, type Queryable, withTransaction } from '../database/pool.ts';
import { createConfirmer, insertEntries } from '../outbox/outbox.ts';
import { decidedByDatabase } from './database-away.ts';

/** A committed write, and what is still to be said: whether Redis was told of it everywhere. */
export interface StateWritten<T> {
  readonly value: T;
  /** To be called once; what was not confirmed is left to the dispatcher. */
  acknowledge(isConfirmed: boolean): Acknowledgement;
}

/** @param outdate names a key of state about which the database is to decide until Redis was told. */
export type StateWork<T> = (tx: Queryable, outdate: (key: string) => void) => Promise<T>;

export type StateWrite = <T>(work: StateWork<T>) => Promise<StateWritten<T>>;

/**
 * Writes after which entries of state are outdated: which ones is in the outbox with the commit, so that a process that dies
 * before it has told Redis leaves them to the dispatcher.
 * @returns a function that throws what `work` throws, and StateUnavailableError where the database is away.
 */
export function createStateWrite(database: Database): StateWrite {
  const confirm = createConfirmer(database);
  return async (work) => {
    let rows: string[] = [];
    const value = await decidedByDatabase(() =>
      withTransaction(database, async (tx) => {
        const keys = new Set<string>();
        const result = await work(tx, (key) => void keys.add(key));
        const entries = [...keys].map((name) => ({ kind: 'state' as const, name }));
        if (entries.length > 0) rows = await insertEntries(tx, entries);
        return result;
      }),
    );
    return {
      value,
      acknowledge(isConfirmed) {
        if (isConfirmed && rows.length > 0) confirm(rows);
        return isConfirmed ? 'done' : 'pending';
      },
    };
  };
}
