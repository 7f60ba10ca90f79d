/**
 * A random-interleaving model of tagged entries: N holds a value with the epoch that it was loaded under, E the epoch of
 * its tag. A write bumps E and knows nothing of N. Either may vanish at any moment. Beside test/model/coherence.ts,
 * which is the protocol of single keys.
 */
import { seededRandom } from '../../rehearsal/random.ts';
import { countStale, type Steps } from './interleave.ts';

/** Each field is a departure from the protocol. */
export interface EpochVariant {
  readonly fetchesEpochAfterLoad?: boolean;
  readonly bumpsBeforeCommit?: boolean;
  readonly joinsWithoutComparing?: boolean;
  /** A value counts as a hit whose epoch is gone. */
  readonly missingEpochIsHit?: boolean;
  /** The bump counts up from what is there, so that a lost epoch begins again. */
  readonly bumpsByCounting?: boolean;
  /** A tagged entry takes over what the legacy key holds, which no bump removes. */
  readonly adoptsLegacy?: boolean;
}

interface Entry {
  readonly value?: number;
  readonly epoch?: number;
  readonly lease?: number;
}

interface World {
  readonly variant: EpochVariant;
  entry: Entry | undefined;
  epoch: number | undefined;
  legacy: number | undefined;
  database: number;
  acknowledged: number;
  drawn: number;
  /** Loads of this process, by their lease. */
  readonly flights: Map<number, { readonly epoch: number; value?: number }>;
}

function* read(w: World): Steps<number> {
  const { variant } = w;
  // One MGET: the value and the epoch of one moment.
  const [seen, current] = [w.entry, w.epoch];
  yield;
  if (seen?.value !== undefined) {
    if (seen.epoch === current || (variant.missingEpochIsHit && current === undefined)) return seen.value;
  }
  const flight = seen?.lease === undefined ? undefined : w.flights.get(seen.lease);
  if (flight && (variant.joinsWithoutComparing || flight.epoch === current)) {
    while (flight.value === undefined) yield;
    return flight.value;
  }
  if (seen?.lease !== undefined) return yield* load(w);
  const lease = yield* acquire(w, seen);
  if (lease === undefined) return yield* load(w);
  const before = yield* fetchEpoch(w);
  const flying: { readonly epoch: number; value?: number } = { epoch: before };
  w.flights.set(lease, flying);
  const adopted = variant.adoptsLegacy ? w.legacy : undefined;
  const value = adopted ?? (yield* load(w));
  flying.value = value;
  const epoch = variant.fetchesEpochAfterLoad ? yield* fetchEpoch(w) : before;
  if (w.entry?.lease === lease) w.entry = { value, epoch };
  yield;
  return value;
}

function* load(w: World): Steps<number> {
  const value = w.database;
  yield;
  return value;
}

/** SET NX where nothing stands, and by script over a value that is out of date. */
function* acquire(w: World, seen: Entry | undefined): Steps<number | undefined> {
  w.drawn += 1;
  const lease = w.drawn;
  const held = w.entry === seen;
  if (held) w.entry = { lease };
  yield;
  return held ? lease : undefined;
}

/** SET NX GET of a fresh token: what stands there, or one's own. */
function* fetchEpoch(w: World): Steps<number> {
  w.drawn += 1;
  w.epoch ??= w.variant.bumpsByCounting ? 0 : w.drawn;
  const epoch = w.epoch;
  yield;
  return epoch;
}

function* bump(w: World): Steps<void> {
  w.drawn += 1;
  w.epoch = w.variant.bumpsByCounting ? (w.epoch ?? 0) + 1 : w.drawn;
  yield;
}

function* write(w: World): Steps<undefined> {
  if (w.variant.bumpsBeforeCommit) yield* bump(w);
  w.database += 1;
  const version = w.database;
  yield;
  if (!w.variant.bumpsBeforeCommit) yield* bump(w);
  w.acknowledged = Math.max(w.acknowledged, version);
  return undefined;
}

/** The legacy backend fills its own key, and may do so at any moment. */
function* fillLegacy(w: World): Steps<undefined> {
  w.legacy = w.database;
  yield;
  return undefined;
}

/** Runs one schedule. @returns how many reads were stale in it. */
export function runEpochSchedule(seed: number, variant: EpochVariant): number {
  const random = seededRandom(seed);
  const w: World = {
    variant,
    entry: undefined,
    epoch: undefined,
    legacy: undefined,
    database: 0,
    acknowledged: 0,
    drawn: 0,
    flights: new Map(),
  };
  return countStale({
    random,
    floor: () => w.acknowledged,
    begin() {
      const which = random();
      if (which < 0.65) return read(w);
      return which < 0.95 ? write(w) : fillLegacy(w);
    },
    happen() {
      const which = random();
      if (which < 0.03) w.entry = undefined;
      else if (which < 0.06) w.epoch = undefined;
    },
  });
}
