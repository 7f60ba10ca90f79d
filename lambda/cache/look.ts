import type { Codec } from './codec.ts';
import type { Places } from './keyspace.ts';
import { isLease, type LeaseToken } from './lease.ts';
import { type CacheStore, WrongTypeError } from './store.ts';

/** What a read finds: a value, somebody's lease, a lease that is now the reader's own, or no answer. */
export type Seen =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'lease'; readonly lease: LeaseToken }
  | { readonly kind: 'held' }
  | { readonly kind: 'away' };

/** A read has 250 ms for Redis (connection and commands): after a GET this slow there is no time for a lease. */
const MAX_GET_MS_BEFORE_LEASE = 100;

export interface Look {
  readonly store: CacheStore;
  readonly places: Places;
  readonly codec: Codec;
  /** The token to take the lease with, if nothing of use is there; never used before. */
  readonly token: LeaseToken;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Reads an entry: a hit is one plain GET. Takes the lease where nothing of use is found. A lost reply is
 * `away`, never `held`: the command may still be executed, after an invalidation.
 */
export async function look(request: Look): Promise<Seen> {
  try {
    return await lookOrThrow(request);
  } catch (error) {
    request.onError(error);
    return { kind: 'away' };
  }
}

async function lookOrThrow({ store, places, codec, token, leaseMs, onError }: Look): Promise<Seen> {
  const { home, leaseAt } = places;
  const begin = performance.now();
  const bytes = await store.get(home).catch(async (error: unknown) => {
    if (!(error instanceof WrongTypeError)) throw error;
    onError(error);
    await store.unlink([home]);
    return null;
  });
  const seen = parse(bytes, { codec, onError });
  if (seen) return seen;
  if (performance.now() - begin > MAX_GET_MS_BEFORE_LEASE) return { kind: 'away' };
  if (bytes !== null && leaseAt === home) {
    // Undecodable: replaced only if it is still what was seen. If it is not, the token was not used: look again.
    const taken = await store.takeOver(home, bytes, { token, leaseMs });
    return taken ? { kind: 'held' } : lookOrThrow({ store, places, codec, token, leaseMs, onError });
  }
  // Beside a lease of its own the entry may have been filled since: both travel together, the lease first.
  const [there, again] = await Promise.all([
    store.acquire(leaseAt, token, leaseMs),
    leaseAt === home ? null : store.get(home),
  ]);
  const filled = again === bytes ? undefined : parse(again, { codec, onError });
  if (filled) {
    if (there === null) await store.release(leaseAt, token);
    return filled;
  }
  if (there === null) return { kind: 'held' };
  return parse(there, { codec, onError }) ?? { kind: 'away' };
}

function parse(bytes: string | null, { codec, onError }: Pick<Look, 'codec' | 'onError'>): Seen | undefined {
  if (bytes === null) return undefined;
  if (isLease(bytes)) return { kind: 'lease', lease: bytes };
  try {
    return { kind: 'value', value: codec.decode(bytes) };
  } catch (error) {
    onError(error);
    return undefined;
  }
}
