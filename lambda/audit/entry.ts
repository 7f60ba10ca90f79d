import { isDeepStrictEqual } from 'node:util';
import { jsonCodec } from '../cache/codec.ts';
import { readEntry } from '../cache/entry.ts';
import type { Keyspace, PhysicalKey, Places } from '../cache/keyspace.ts';
import type { Send } from '../cache/redis-store.ts';
import { isWrongType } from '../cache/wrong-type.ts';
import type { Queryable } from '../database/pool.ts';
import type { AuditedKey, KeyReader } from './loaders.ts';
import type { InTurn } from './turns.ts';

/** Where entries and their rows are read. */
export interface AuditSources {
  readonly keyspace: Pick<Keyspace, 'env' | 'tryLocate' | 'logicalOf'>;
  readonly send: Send;
  readonly database: Queryable;
  /** Lets so many statements run at a time. */
  readonly inTurn: InTurn;
  readonly keyReaders: Readonly<Record<string, KeyReader>>;
}

/** A stored value that differs from its row. */
export interface Mismatch {
  readonly physical: PhysicalKey;
  readonly places: Places;
  readonly reader: AuditedKey;
  readonly bytes: string;
  readonly cached: unknown;
  /** What a reader would have got after a miss, as JSON has it. */
  readonly row: unknown;
}

/** `not an entry`: gone, a lease, tagged, of another shape, or of a key that the API never reads. */
export type Compared = 'same' | 'not an entry' | Mismatch;

/**
 * Compares what a key holds with its row, which is read after it: so the row is never the older one.
 * @throws what Redis and the database throw.
 */
export async function compare(key: string, sources: AuditSources): Promise<Compared> {
  const { keyspace, keyReaders } = sources;
  const logical = keyspace.logicalOf(key);
  const places = keyspace.tryLocate(logical);
  const reader = places && keyReaders[places.family.name]?.(logical, keyspace.env);
  if (!reader) return 'not an entry';
  const physical = key as PhysicalKey;
  const bytes = await bytesAt(sources.send, physical);
  const entry = bytes === null ? undefined : decoded(bytes, reader);
  if (bytes === null || !entry) return 'not an entry';
  const row = await rowOf(reader, sources);
  if (isDeepStrictEqual(entry.value, row)) return 'same';
  return { physical, places, reader, bytes, cached: entry.value, row };
}

/** What a read gets that loads: a value that has been JSON. */
export async function rowOf({ load }: AuditedKey, { database, inTurn }: AuditSources): Promise<unknown> {
  return JSON.parse(JSON.stringify(await inTurn(() => load(database))));
}

/** Null for what is not there, or is no string. */
export async function bytesAt(send: Send, key: string): Promise<string | null> {
  try {
    return (await send(['GET', key])) as string | null;
  } catch (error) {
    if (isWrongType(error)) return null;
    throw error;
  }
}

/** As the runtime decodes it; undefined where it would load. */
function decoded(bytes: string, { validate }: AuditedKey): { readonly value: unknown } | undefined {
  try {
    const entry = readEntry<unknown>(bytes, { codec: jsonCodec, validate });
    return entry.kind === 'value' ? entry : undefined;
  } catch {
    return undefined;
  }
}
