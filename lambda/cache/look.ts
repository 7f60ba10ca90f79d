import type { Codec } from './codec.ts';
import { type Entry, readEntry } from './entry.ts';
import { type Epochs, readEpochs } from './epochs.ts';
import type { PhysicalKey, Places } from './keyspace.ts';
import { drawToken, isLease, type LeaseToken } from './lease.ts';
import type { CacheStore } from './store.ts';
import { type Schema, UnexpectedValueError } from './validation.ts';
import { isWrongType, WrongTypeError } from './wrong-type.ts';

/** What a read finds: a value, somebody's lease, a lease that is now the reader's own, or no answer. */
export type Seen<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'lease'; readonly lease: LeaseToken; readonly epochs: Epochs | undefined }
  | { readonly kind: 'held'; readonly token: LeaseToken; readonly epochs: Epochs | undefined }
  /** What the legacy backend stores has another shape: it stays, and nothing is stored over it. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'away' };

/** A read has 250 ms for Redis (connection and commands): after a GET this slow there is no time for a lease. */
const MAX_GET_MS_BEFORE_LEASE = 100;

export interface Look<T> {
  readonly store: CacheStore;
  readonly places: Places;
  readonly codec: Codec;
  readonly validate?: Schema<T> | undefined;
  /** The tags of a tagged read. */
  readonly tags?: readonly string[] | undefined;
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
}

/** The GET that a look begins with, and what travelled with it. */
export interface FirstGet {
  readonly bytes: string | null;
  readonly epochs: Epochs | undefined;
  /** When it was sent, on the clock of `performance.now()`. */
  readonly begin: number;
}

/** Reads an entry and, for a tagged read, the epochs beside it. @throws what the store throws. */
export async function fetch<T>(
  { store, places, tags }: Look<T>,
  key: PhysicalKey = places.home,
): Promise<FirstGet> {
  const begin = performance.now();
  if (!tags) return { bytes: await store.get(key), epochs: undefined, begin };
  const [bytes, epochs] = await Promise.all([store.get(key), readEpochs(store, tags)]);
  return { bytes, epochs, begin };
}

/**
 * Reads an entry, and takes the lease where nothing of use is found. A lost reply is `away`, never `held`: the command
 * may still be executed, after an invalidation.
 * @param first the GET, where the caller has sent it already.
 */
export function look<T>(request: Look<T>, first?: FirstGet): Promise<Seen<T>> {
  const seen = first ? lookOn(request, first) : fetch(request).then((got) => lookOn(request, got));
  return seen.catch((error: unknown) => {
    request.onError(error);
    return AWAY;
  });
}

const AWAY = { kind: 'away' } as const;

function lookOn<T>(request: Look<T>, got: FirstGet): Promise<Seen<T>> {
  const seen = parse(got.bytes, got.epochs, request);
  if (seen) return Promise.resolve(seen);
  const isSlow = performance.now() - got.begin > MAX_GET_MS_BEFORE_LEASE;
  return isSlow ? Promise.resolve(AWAY) : lease(request, got);
}

/** Takes the lease over what was seen, which is nothing, or bytes of no use. */
function lease<T>(request: Look<T>, got: FirstGet): Promise<Seen<T>> {
  const { store, places, leaseMs } = request;
  const { home, leaseAt } = places;
  const token = drawToken();
  const held = { kind: 'held', token, epochs: got.epochs } as const;
  if (leaseAt !== home) return leaseBeside(request, got, held);
  if (got.bytes !== null) return takeOver(request, got.bytes, held);
  const seen = (there: string | null) =>
    there === null ? held : (parse(there, got.epochs, request) ?? look(request));
  return store
    .acquire(home, token, leaseMs)
    .then(seen, async (error: unknown) => seen(await acquireAnew(request, token, error)));
}

type Held = Seen<never> & { kind: 'held' };

/** Replaces bytes of no use only if they are still what was seen; if they are not, somebody was faster: looks again. */
async function takeOver<T>(request: Look<T>, bytes: string, held: Held): Promise<Seen<T>> {
  const { store, places, leaseMs } = request;
  const taken = await store.takeOver(places.home, bytes, { token: held.token, leaseMs });
  return taken ? held : look(request);
}

/** Beside a lease of its own the entry may have been filled since: both travel together, the lease first. */
async function leaseBeside<T>(request: Look<T>, { bytes, epochs }: FirstGet, held: Held): Promise<Seen<T>> {
  const { store, places, leaseMs, onError } = request;
  const acquired = store.acquire(places.leaseAt, held.token, leaseMs);
  const [there, again] = await Promise.all([
    acquired.catch((error: unknown) => acquireAnew(request, held.token, error)),
    store.get(places.home),
  ]);
  const filled = again === bytes ? undefined : parse(again, epochs, request);
  if (filled) {
    if (there === null) store.release(places.leaseAt, held.token).catch(onError);
    return filled;
  }
  if (there === null) return held;
  return isLease(there) ? { kind: 'lease', lease: there, epochs } : AWAY;
}

/** Takes the lease where something stands that is no string, after it is unlinked. @throws other errors as they are. */
async function acquireAnew<T>(
  { store, places, leaseMs, onError }: Look<T>,
  token: LeaseToken,
  error: unknown,
): Promise<string | null> {
  if (!isWrongType(error)) throw error;
  const { leaseAt } = places;
  onError(new WrongTypeError(`cache: ${error.message}`, { cause: error }));
  await store.unlink([[leaseAt]]);
  // Not a retry of a lost command: this reply said that the token was not stored.
  return store.acquire(leaseAt, token, leaseMs);
}

/** What stands there; undefined for nothing, and for bytes that a lease may replace. */
function parse<T>(bytes: string | null, epochs: Epochs | undefined, request: Look<T>): Seen<T> | undefined {
  if (bytes === null) return undefined;
  try {
    const entry: Entry<T> = readEntry(bytes, { ...request, epochs });
    if (entry.kind === 'outdated') return undefined;
    return entry.kind === 'lease' ? { ...entry, epochs } : entry;
  } catch (error) {
    request.onError(error);
    const isForeign = error instanceof UnexpectedValueError && request.places.home === request.places.legacy;
    return isForeign ? { kind: 'foreign' } : undefined;
  }
}
