import type { Budget } from './budget.ts';
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

/** What the reply to a lease may take: with less left of the budget it is not asked for, since a lost reply leaves a lease. */
const LEASE_REPLY_MS = 150;
/** How often somebody else may be faster before a read gives up. */
const MAX_LOOKS = 4;

export interface Look<T> {
  readonly store: CacheStore;
  readonly places: Places;
  readonly codec: Codec;
  readonly validate?: Schema<T> | undefined;
  /** The tags of a tagged read. */
  readonly tags?: readonly string[] | undefined;
  readonly leaseMs: number;
  /** What this read may still wait for the store, from its first GET to its fill. */
  readonly budget: Budget;
  readonly onError: (error: unknown) => void;
}

/** What a GET answered, and what travelled with it. */
interface Got {
  readonly bytes: string | null;
  readonly epochs: Epochs | undefined;
}

/** The GET that a read began with. */
export interface FirstGet extends Got {
  /** When it was sent, on the clock of `performance.now()`. */
  readonly begin: number;
}

/** Reads an entry and, for a tagged read, the epochs beside it. @throws what the store throws. */
export async function fetch<T>(
  { store, places, tags, budget }: Look<T>,
  key: PhysicalKey = places.home,
): Promise<Got> {
  if (!tags) return { bytes: await budget.wait(store.get(key)), epochs: undefined };
  const [bytes, epochs] = await budget.wait(Promise.all([store.get(key), readEpochs(store, tags)]));
  return { bytes, epochs };
}

/**
 * Reads an entry, and takes the lease where nothing of use is found. A lost reply is `away`, never `held`: the command
 * may still be executed, after an invalidation.
 * @param first the GET, where the caller has sent it already.
 */
export function look<T>(request: Look<T>, first?: FirstGet): Promise<Seen<T>> {
  if (first) request.budget.spend(performance.now() - first.begin);
  const seen = first ? lookOn(request, first, MAX_LOOKS - 1) : lookAnew(request, MAX_LOOKS);
  return seen.catch((error: unknown) => {
    request.onError(error);
    return AWAY;
  });
}

const AWAY = { kind: 'away' } as const;

const lookAnew = <T>(request: Look<T>, looksLeft: number): Promise<Seen<T>> =>
  looksLeft > 0 ? fetch(request).then((got) => lookOn(request, got, looksLeft - 1)) : Promise.resolve(AWAY);

function lookOn<T>(request: Look<T>, got: Got, looksLeft: number): Promise<Seen<T>> {
  const seen = parse(got.bytes, got.epochs, request);
  if (seen) return Promise.resolve(seen);
  if (request.budget.leftMs < LEASE_REPLY_MS) return Promise.resolve(AWAY);
  const held = { kind: 'held', token: drawToken(), epochs: got.epochs } as const;
  if (request.places.leaseAt !== request.places.home) return leaseBeside(request, got, held);
  return got.bytes === null
    ? lease(request, held, looksLeft)
    : takeOver(request, { bytes: got.bytes, held, looksLeft });
}

type Held = Seen<never> & { kind: 'held' };

/** Takes the lease where nothing was seen. */
function lease<T>(request: Look<T>, held: Held, looksLeft: number): Promise<Seen<T>> {
  const acquired = acquire(request, held);
  return request.budget.wait(acquired).then(
    (there) => (there === null ? held : (parse(there, held.epochs, request) ?? lookAnew(request, looksLeft))),
    (error: unknown) => {
      giveBack(request, held, acquired.then(isFree));
      throw error;
    },
  );
}

/** Replaces bytes of no use only if they are still what was seen; if they are not, somebody was faster: looks again. */
async function takeOver<T>(
  request: Look<T>,
  { bytes, held, looksLeft }: { bytes: string; held: Held; looksLeft: number },
): Promise<Seen<T>> {
  const { store, places, leaseMs, budget } = request;
  const taking = store.takeOver(places.home, bytes, { token: held.token, leaseMs });
  try {
    return (await budget.wait(taking)) ? held : await lookAnew(request, looksLeft);
  } catch (error) {
    giveBack(request, held, taking);
    throw error;
  }
}

/** Beside a lease of its own the entry may have been filled since: both travel together, the lease first. */
async function leaseBeside<T>(request: Look<T>, { bytes, epochs }: Got, held: Held): Promise<Seen<T>> {
  const { store, places, budget } = request;
  const acquired = acquire(request, held);
  try {
    const [there, again] = await budget.wait(Promise.all([acquired, store.get(places.home)]));
    const filled = again === bytes ? undefined : parse(again, epochs, request);
    if (filled) giveBack(request, held, acquired.then(isFree));
    if (filled) return filled;
    if (there === null) return held;
    return isLease(there) ? { kind: 'lease', lease: there, epochs } : AWAY;
  } catch (error) {
    giveBack(request, held, acquired.then(isFree));
    throw error;
  }
}

/** Ends a lease, as soon as it is known to be taken, that its reader goes on without: the others would wait for it. */
function giveBack<T>({ store, places, onError }: Look<T>, { token }: Held, taking: Promise<boolean>): void {
  taking.then(
    (taken) => {
      if (taken) store.release(places.leaseAt, token).catch(onError);
    },
    // Said already, to who waited for it.
    () => {},
  );
}

const isFree = (there: string | null): boolean => there === null;

const acquire = <T>(request: Look<T>, { token }: Held): Promise<string | null> =>
  request.store
    .acquire(request.places.leaseAt, token, request.leaseMs)
    .catch((error: unknown) => acquireAnew(request, token, error));

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
