import type { Client } from 'pg';
import type { Turns } from './turns.ts';

/** The one row that a schedule is about, as an actor reads and writes it. */
export interface Row {
  /** The row's version, 0 where there is no row. */
  load(): Promise<number>;
  /** Commits the next version and answers it. */
  update(): Promise<number>;
}

export const CREATE_ROWS = 'CREATE UNLOGGED TABLE rows (key text PRIMARY KEY, version integer NOT NULL)';

const LOAD = 'SELECT version FROM rows WHERE key = $1';
const UPDATE = `INSERT INTO rows VALUES ($1, 1)
  ON CONFLICT (key) DO UPDATE SET version = rows.version + 1 RETURNING version`;

/** A row in PostgreSQL: a statement takes one turn, and its answer another. */
export function createRow(
  client: Client,
  { key, takeAfter }: { key: string; takeAfter: Turns['takeAfter'] },
): (by: string) => Row {
  const version = async (name: string, text: string) => {
    const { rows } = await client.query<{ version: number }>({ name, text, values: [key] });
    return rows[0]?.version ?? 0;
  };
  return (by) => {
    const inTurns = (name: string, text: string) =>
      new Promise<number>((resolve, reject) => {
        takeAfter(0, `${by} ${name}`, async () => {
          const answer = await version(name, text).then(
            (value) => () => resolve(value),
            (error: unknown) => () => reject(error),
          );
          takeAfter(0, `${by} hears of ${name}`, answer);
        });
      });
    return { load: () => inTurns('load', LOAD), update: () => inTurns('update', UPDATE) };
  };
}
