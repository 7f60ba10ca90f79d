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
export interface Got {
  readonly bytes: string | null;
  readonly epochs: Epochs | undefined;
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
export async function look<T>(request: Look<T>, first?: Got): Promise<Seen<T>> {
  const { places, budget, onError } = request;
  try {
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const got = looks === 0 && first ? first : await fetch(request);
      const seen = parse(got, request);
      if (seen) return seen;
      if (budget.leftMs < LEASE_REPLY_MS) return AWAY;
      const held: Held = { kind: 'held', token: drawToken(), epochs: got.epochs };
      if (places.leaseAt !== places.home) return await leaseBeside(request, got, held);
      if (got.bytes === null) {
        const acquired = acquire(request, held);
        const there = await budget.wait(acquired, () => giveBack(request, held, acquired.then(isFree)));
        if (there === null) return held;
        const faster = parse({ bytes: there, epochs: got.epochs }, request);
        if (faster) return faster;
      } else {
        const taking = request.store.takeOver(places.home, got.bytes, {
          token: held.token,
          leaseMs: request.leaseMs,
        });
        if (await budget.wait(taking, () => giveBack(request, held, taking))) return held;
      }
    }
  } catch (error) {
    onError(error);
  }
  return AWAY;
}

const AWAY = { kind: 'away' } as const;

type Held = Seen<never> & { kind: 'held' };

/** Beside a lease of its own the entry may have been filled since: both travel together, the lease first. */
async function leaseBeside<T>(request: Look<T>, { bytes, epochs }: Got, held: Held): Promise<Seen<T>> {
  const { store, places, budget } = request;
  const acquired = acquire(request, held);
  try {
    const [there, again] = await budget.wait(Promise.all([acquired, store.get(places.home)]));
    const filled = again === bytes ? undefined : parse({ bytes: again, epochs }, request);
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
function parse<T>({ bytes, epochs }: Got, request: Look<T>): Seen<T> | undefined {
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
