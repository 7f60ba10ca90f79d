import type { Schema } from '../cache/validation.ts';
import { readList } from '../collections/repository.ts';
import { COLLECTIONS, type Collection } from '../contract/families.ts';
import type { Queryable } from '../database/pool.ts';
import { readFlag, readFlags, readOverride } from '../flags/repository.ts';
import { StoredFlag, StoredFlagSet, StoredOverride } from '../flags/stored.ts';

/** How the API reads one key: what it loads after a miss, and what an entry has to be. */
export interface AuditedKey {
  load(database: Queryable): Promise<unknown>;
  /** What the API validates its reads with; another shape is a miss to it, and cannot be stale. */
  readonly validate?: Schema<unknown>;
}

/** A key of a family as the API reads it, `env` being NODE_ENV; undefined for a key that it never reads. */
export type KeyReader = (key: string, env: string) => AuditedKey | undefined;

const listOf =
  (collection: Collection): KeyReader =>
  (key) => {
    const [, userId] = /^[^:]+:user:(.+):list$/s.exec(key) ?? [];
    return userId === undefined ? undefined : { load: (db) => readList(db, { userId, collection }) };
  };

const flagSet: KeyReader = (key) => {
  const environment = key.slice(key.indexOf(':') + 1);
  return { load: (db) => readFlags(db, environment), validate: StoredFlagSet };
};

const flag: KeyReader = (text, environment) => {
  const [, key, userId] = /^flag:([^:]+)(?::user:(.+))?$/s.exec(text) ?? [];
  if (key === undefined) return undefined;
  return userId === undefined
    ? { load: (db) => readFlag(db, { environment, key }), validate: StoredFlag }
    : { load: (db) => readOverride(db, { environment, key, userId }), validate: StoredOverride };
};

/** By family: those that the API reads, with its own statements. Who adds a family with a source adds a line, or it is not audited. */
export const KEY_READERS: Readonly<Record<string, KeyReader>> = {
  ...Object.fromEntries(COLLECTIONS.map((collection) => [collection, listOf(collection)])),
  feature_flags: flagSet,
  flag,
};
