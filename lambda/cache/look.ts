import type { Codec } from './codec.ts';
import type { PhysicalKey, Places } from './keyspace.ts';
import { drawToken, isLease, type LeaseToken } from './lease.ts';
import type { CacheStore } from './store.ts';
import { WrongTypeError } from './wrong-type.ts';

/** What a read finds: a value, somebody's lease, a lease that is now the reader's own, or no answer. */
export type Seen =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'lease'; readonly lease: LeaseToken }
  | { readonly kind: 'held'; readonly token: LeaseToken }
  | { readonly kind: 'away' };

/** A read has 250 ms for Redis (connection and commands): after a GET this slow there is no time for a lease. */
const MAX_GET_MS_BEFORE_LEASE = 100;

export interface Look {
  readonly store: CacheStore;
  readonly places: Places;
  readonly codec: Codec;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/** The GET that a look begins with. */
export interface FirstGet {
  readonly bytes: string | null;
  /** When it was sent, on the clock of `performance.now()`. */
  readonly begin: number;
}

/**
 * Reads an entry, and takes the lease where nothing of use is found. A lost reply is `away`, never `held`: the command
 * may still be executed, after an invalidation.
 * @param first the GET, where the caller has sent it already.
 */
export async function look(request: Look, first?: FirstGet): Promise<Seen> {
  try {
    const begin = first?.begin ?? performance.now();
    const bytes = first ? first.bytes : await request.store.get(request.places.home);
    const seen = parse(bytes, request);
    if (seen) return seen;
    return performance.now() - begin > MAX_GET_MS_BEFORE_LEASE ? AWAY : await lease(request, bytes);
  } catch (error) {
    request.onError(error);
    return AWAY;
  }
}

const AWAY: Seen = { kind: 'away' };

/** Takes the lease over what was seen, which is nothing, or bytes of no use. */
async function lease(request: Look, seen: string | null): Promise<Seen> {
  const { store, places, leaseMs } = request;
  const { home, leaseAt } = places;
  const token = drawToken();
  const held: Seen = { kind: 'held', token };
  if (seen !== null && leaseAt === home) {
    // Replaced only if it is still what was seen; if it is not, somebody was faster: look again.
    return (await store.takeOver(home, seen, { token, leaseMs })) ? held : look(request);
  }
  // Beside a lease of its own the entry may have been filled since: both travel together, the lease first.
  const [there, again] = await Promise.all([
    acquire(request, token),
    leaseAt === home ? null : store.get(home),
  ]);
  const filled = again === seen ? undefined : parse(again, request);
  if (filled) {
    if (there === null) store.release(leaseAt, token).catch(request.onError);
    return filled;
  }
  return there === null ? held : (parse(there, request) ?? AWAY);
}

/** Takes the lease, also where something stands that is no string: that is unlinked first. */
async function acquire({ store, places, leaseMs, onError }: Look, token: LeaseToken): Promise<string | null> {
  const leaseAt: PhysicalKey = places.leaseAt;
  try {
    return await store.acquire(leaseAt, token, leaseMs);
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    onError(error);
    await store.unlink([leaseAt]);
    // Not a retry of a lost command: this reply said that the token was not stored.
    return store.acquire(leaseAt, token, leaseMs);
  }
}

function parse(bytes: string | null, { codec, onError }: Look): Seen | undefined {
  if (bytes === null) return undefined;
  if (isLease(bytes)) return { kind: 'lease', lease: bytes };
  try {
    return { kind: 'value', value: codec.decode(bytes) };
  } catch (error) {
    onError(error);
    return undefined;
  }
}
