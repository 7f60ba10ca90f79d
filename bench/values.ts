import { createPool, type Database } from '../lambda/database/pool.ts';

/** The sizes of a value as JSON, in bytes. */
export const VALUE_BYTES = [200, 10_000] as const;

/** How many different values there are of each size, and how many keys a hit may read. */
export const VALUES = 1000;

interface Key {
  readonly valueBytes: number;
  /** Keys of one run are new to all others. */
  readonly run: string;
  readonly index: number;
}

/** A key of the family `mocs`, which tells the loader what to load. */
export const keyOf = ({ valueBytes, run, index }: Key): string => `mocs:${valueBytes}:${run}:${index}`;

/** Creates the table that misses are loaded from. */
export async function seedValues(databaseUrl: string): Promise<void> {
  const pool = createPool({ url: databaseUrl, applicationName: 'cutover-bench', patient: true });
  try {
    await pool.query('CREATE TABLE bench_values (id text PRIMARY KEY, value json NOT NULL)');
    for (const valueBytes of VALUE_BYTES) {
      await pool.query(
        'INSERT INTO bench_values SELECT $1 || index, $2 FROM generate_series(0, $3) AS index',
        [`${valueBytes}:`, JSON.stringify(sampleValue(valueBytes)), VALUES - 1],
      );
    }
    await pool.query('ANALYZE bench_values');
  } finally {
    await pool.end();
  }
}

const ITEM = { id: 1000, title: 'Lighthouse', note: 'a third of it is built'.padEnd(110, '.') };

/** What an API caches, whose JSON has exactly so many bytes: a list of items of some 150 bytes. */
export function sampleValue(valueBytes: number): unknown {
  const items: object[] = [];
  const size = () => JSON.stringify({ items, rest: '' }).length;
  while (size() <= valueBytes) items.push({ ...ITEM, id: ITEM.id + items.length });
  items.pop();
  return { items, rest: 'x'.repeat(valueBytes - size()) };
}

/** Loads a key's value with one indexed query. */
export function databaseLoader(pool: Database): (key: string) => Promise<unknown> {
  return async (key) => {
    const [, valueBytes, , index] = key.split(':');
    const { rows } = await pool.query({
      name: 'load',
      text: 'SELECT value FROM bench_values WHERE id = $1',
      values: [`${valueBytes}:${Number(index) % VALUES}`],
    });
    return rows[0].value;
  };
}
