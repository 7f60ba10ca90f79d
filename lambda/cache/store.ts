import type { PhysicalKey } from './keyspace.ts';
import type { LeaseToken } from './lease.ts';

/** A value to store under a lease. */
export interface Fill {
  readonly leaseAt: PhysicalKey;
  readonly token: LeaseToken;
  readonly home: PhysicalKey;
  readonly value: string;
  /** Infinite for a value that does not expire. */
  readonly ttlMs: number;
}

/** A value that the cache itself owns, for all its places. */
export interface OwnValue {
  /** The lease that ends with it: what its holder has loaded is older than this. */
  readonly fence: PhysicalKey;
  readonly legacy: PhysicalKey;
  readonly homes: readonly PhysicalKey[];
  /** Where another phase keeps it: removed, so that nobody reads an older one there. */
  readonly others: readonly PhysicalKey[];
  readonly value: string;
  /** Infinite for a value that does not expire. */
  readonly ttlMs: number;
}

/** Who goes on from what a key holds. */
export interface Reader<A> {
  /** @param askedAt when the store was asked, on the clock of `performance.now()`. */
  found(bytes: string | null, askedAt: number): A | PromiseLike<A>;
  failed(error: unknown): A | PromiseLike<A>;
}

/**
 * The steps that the coherence protocol is made of, each atomic. Every step rejects when its outcome is
 * unknown (the store is away, the reply is late); the step may then still happen later.
 */
export interface CacheStore {
  /** After how long a step gives up by itself, in milliseconds. Default: nobody knows. */
  readonly longestWaitMs?: number | undefined;
  /** Null for a key that is not there, or holds something that is not a string. */
  get(key: PhysicalKey): Promise<string | null>;
  /** As `get`, and goes on from there in the caller's own asynchronous context: a hit is spared the promise of the bytes. */
  getFor<A>(key: PhysicalKey, reader: Reader<A>): Promise<A>;
  /** A value and how long it will stay, in milliseconds (infinite if it does not expire); null when it is not there. */
  getWithTtl(key: PhysicalKey): Promise<{ value: string; ttlMs: number } | null>;
  /**
   * Takes a lease if the key is free. @returns null when it is now held, else what stands there.
   * @throws an error that `isWrongType` for a key that holds something that is not a string.
   */
  acquire(key: PhysicalKey, token: string, leaseMs: number): Promise<string | null>;
  /** Puts a lease in the place of a value that is of no use, if it is still that value. */
  takeOver(key: PhysicalKey, seen: string, lease: { token: LeaseToken; leaseMs: number }): Promise<boolean>;
  /** Stores a value if the lease is still held, and ends the lease. @returns whether it was stored. */
  fill(fill: Fill): Promise<boolean>;
  /** Ends a lease if it is still held. */
  release(key: PhysicalKey, token: LeaseToken): Promise<void>;
  /** Stores a value whatever stands there, in all its places; in one step where these are of one server. */
  set(own: OwnValue): Promise<void>;
  /** Stores bytes under one key whatever stands there. */
  replace(key: PhysicalKey, value: string, ttlMs: number): Promise<void>;
  /** Lets a key live on for so long, if it is there. */
  renew(key: PhysicalKey, ttlMs: number): Promise<void>;
  /** Leaves a key for so long that tells of something and may get lost: nobody waits for it, and its error is nobody's. */
  mark?(key: PhysicalKey, ttlMs: number): void;
  /** Removes the keys, those of a step before those of the next; resolves when all were confirmed. */
  unlink(steps: readonly (readonly PhysicalKey[])[]): Promise<void>;
}
