import { type Family, retentionSeconds } from '../contract/families.ts';

/** Seconds above 0, or in words that the entry does not expire. */
export type Ttl = number | 'does not expire';

/** Entries that were stored together must not expire together: each loses up to a tenth of its time. */
const JITTER = 0.1;

export interface TtlOptions {
  readonly ttlSeconds: Ttl | undefined;
  readonly family: Family;
  readonly families: readonly Family[];
  /** Whether the database owns the value. Default: whether the family has a source table. */
  readonly sourced?: boolean;
}

/**
 * How long an entry will live, in milliseconds: what is asked for, else the family's.
 * @throws RangeError for a TTL of 0 or below, for none at all, and for one beyond what the outbox remembers.
 */
export function requireTtl({ ttlSeconds, family, families, sourced = !!family.source }: TtlOptions): number {
  const ttl = ttlSeconds ?? family.ttlSeconds;
  const refuse = (wanted: string) => {
    throw new RangeError(`cache: ttlSeconds=${ttl} of family ${family.name} is refused; ${wanted}`);
  };
  if (ttl === undefined) refuse("give seconds, or say 'does not expire'");
  if (ttl !== 'does not expire' && !(Number(ttl) > 0 && Number.isFinite(ttl))) {
    refuse("it has to be above 0, or 'does not expire'");
  }
  const seconds = ttl === 'does not expire' ? Number.POSITIVE_INFINITY : Number(ttl);
  // After a restart from a snapshot an older entry could come back that no replay removes.
  const longest = sourced ? retentionSeconds(families) : seconds;
  if (seconds > longest) {
    refuse(`what a database owns may live ${longest} s: raise the family's ttlSeconds in the registry`);
  }
  return seconds * 1000;
}

/** A time to live up to a tenth shorter, in whole milliseconds and at least one. */
export function jittered(ttlMs: number): number {
  if (ttlMs === Number.POSITIVE_INFINITY) return ttlMs;
  // At least 1: what expires in this very millisecond would otherwise never expire.
  return Math.max(1, Math.ceil(ttlMs * (1 - JITTER * Math.random())));
}
