/**
 * A random-interleaving model of the coherence protocol (docs/architecture.md): one logical key; N the
 * namespaced key (lease in place), K the legacy key (plain value), C the lease beside K. Each generator step is
 * one atomic Redis or database command; any key may vanish at any moment (expiry, eviction, flush). Processes in
 * two phases and a mirrored legacy backend run at once, as during a canary. Invariant: a read that begins after a
 * write was acknowledged returns that version or a newer one.
 */
import { type Random, seededRandom } from '../../rehearsal/random.ts';

type Key = 'N' | 'K' | 'C';
type Phase = 'legacy' | 'isolated' | 'dual' | 'prefixed' | 'mirror';

/** A way to run the protocol; each field but `phases` and `hard` is a departure from it. */
export interface Variant {
  readonly phases: readonly Phase[];
  /** Replies get lost and commands fail. */
  readonly hard?: boolean;
  readonly plain?: boolean;
  readonly unfencedFill?: boolean;
  readonly invalidatesBeforeCommit?: boolean;
  readonly mirrorOff?: boolean;
  /** In phase dual K is filled without the lease beside it. */
  readonly dualUnfenced?: boolean;
  /** In phase dual K is adopted whether or not the lease on N is held. */
  readonly adoptsWithoutLease?: boolean;
  readonly legacyUnfenced?: boolean;
  readonly joinsByKeyName?: boolean;
  readonly order?: readonly Key[];
  readonly legacyInvalidatesOwn?: boolean;
  readonly lostLeaseIs?: 'held' | 'retried with the same token';
  readonly retriesOnlyWhatFailed?: boolean;
  /** What the mirror does with N after a fill: keep it if it is equal (the protocol), unlink it, or leave it. */
  readonly afterFill?: 'keep equal' | 'unlink' | 'leave';
  /** A SET that stored nothing keeps an equal K without having removed the lease first. */
  readonly keepsLease?: boolean;
}

interface Entry {
  readonly value?: number;
  readonly lease?: number;
  readonly process?: number;
}

interface Lease {
  readonly id: number;
  readonly at: Key;
  readonly held: boolean;
  readonly seen?: Entry | undefined;
}

interface World {
  readonly redis: Map<Key, Entry>;
  readonly random: Random;
  readonly variant: Variant;
  /** Commands whose reply was lost and that are executed some time later. */
  readonly late: (() => void)[];
  readonly started: Set<number>;
  readonly loaded: Map<number, number>;
  readonly flights: Map<number, number>;
  database: number;
  version: number;
  acknowledged: number;
  ids: number;
}

type Steps<T> = Generator<void, T, void>;

function* acquire(w: World, at: Key, process?: number): Steps<Lease> {
  const { hard, lostLeaseIs } = w.variant;
  const entry = (): Entry => ({ lease: ++w.ids, ...(process !== undefined && { process }) });
  let mine = entry();
  if ((hard || lostLeaseIs) && w.random() < 0.3) {
    const first = mine;
    w.late.push(() => {
      if (!w.redis.has(at)) w.redis.set(at, first);
    });
    yield;
    if (lostLeaseIs === 'held') return { id: first.lease ?? 0, at, held: true };
    if (!lostLeaseIs) mine = entry();
  }
  const seen = w.redis.get(at);
  const held = !seen || (lostLeaseIs !== undefined && seen.lease === mine.lease);
  if (held) w.redis.set(at, mine);
  yield;
  return { id: mine.lease ?? 0, at, held, seen };
}

function* fill(w: World, home: Key, lease: Lease, value: number): Steps<boolean> {
  const stored = lease.held && (w.variant.unfencedFill === true || w.redis.get(lease.at)?.lease === lease.id);
  if (stored) {
    if (lease.at !== home) w.redis.delete(lease.at);
    w.redis.set(home, { value });
  }
  yield;
  return stored;
}

/** The legacy backend behind the mirror, and the runtime in phase legacy, which does not touch N. */
function* legacyRead(w: World, mirrored: boolean): Steps<number> {
  const stored = w.redis.get('K');
  yield;
  if (stored?.value !== undefined) return stored.value;
  if (w.variant.plain || w.variant.legacyUnfenced) {
    const value = w.database;
    yield;
    w.redis.set('K', { value });
    yield;
    return value;
  }
  const lease = mirrored ? yield* acquireOrShare(w) : yield* acquire(w, 'C');
  const value = w.database;
  yield;
  const filled = yield* fill(w, 'K', lease, value);
  if (mirrored) yield* afterFill(w, { value, stored: filled });
  return value;
}

/** The mirror fills under the lease that it saw, too: it was there before the load, as for a reader who joins. */
function* acquireOrShare(w: World): Steps<Lease> {
  const lease = yield* acquire(w, 'C');
  if (lease.held || lease.seen?.lease === undefined) return lease;
  return { ...lease, id: lease.seen.lease, held: true };
}

/** The SET may have been a write's, the mirror cannot tell: what differs from its value goes. */
function* afterFill(w: World, { value, stored }: { value: number; stored: boolean }): Steps<void> {
  if (!stored) {
    if (!w.variant.keepsLease) {
      w.redis.delete('C');
      yield;
    }
    const legacy = w.redis.get('K');
    yield;
    if (legacy && legacy.value !== value) {
      w.redis.delete('K');
      yield;
    }
  }
  const { afterFill: does = 'keep equal' } = w.variant;
  if (does === 'leave') return;
  if (does === 'keep equal') {
    const other = w.redis.get('N');
    yield;
    if (!other || other.value === value) return;
  }
  w.redis.delete('N');
  yield;
}

/** Get, UPDATE, SET of plain legacy code: to the mirror it looks like get, load, SET. */
function* readModifyWrite(w: World): Steps<void> {
  const stored = w.redis.get('K');
  yield;
  const lease = stored?.value === undefined ? yield* acquireOrShare(w) : undefined;
  w.version += 1;
  w.database = w.version;
  const value = w.version;
  yield;
  if (lease) yield* afterFill(w, { value, stored: yield* fill(w, 'K', lease, value) });
  else yield* invalidate(w, 'mirror');
  w.acknowledged = Math.max(w.acknowledged, value);
}

function* namespacedRead(w: World, process: number, dual: boolean): Steps<number> {
  const { variant, redis } = w;
  const stored = redis.get('N');
  yield;
  if (stored?.value !== undefined) return stored.value;
  if (variant.plain) {
    const value = w.database;
    yield;
    redis.set('N', { value });
    yield;
    return value;
  }
  const mine = (entry: Entry | undefined) =>
    entry?.lease !== undefined && entry.process === process && w.started.has(entry.lease)
      ? entry.lease
      : undefined;
  const joined = mine(stored) ?? (variant.joinsByKeyName ? w.flights.get(process) : undefined);
  if (joined !== undefined) return yield* join(w, joined);
  const lease = yield* acquire(w, 'N', process);
  if (lease.seen?.value !== undefined) return lease.seen.value;
  const seen = lease.held ? undefined : mine(lease.seen);
  if (seen !== undefined) return yield* join(w, seen);
  if (lease.held) {
    w.started.add(lease.id);
    w.flights.set(process, lease.id);
  }
  const beside = dual && lease.held && !variant.dualUnfenced ? yield* acquire(w, 'C') : undefined;
  const adopted = dual && (lease.held || variant.adoptsWithoutLease) ? w.redis.get('K')?.value : undefined;
  if (dual) yield;
  const value = adopted ?? w.database;
  yield;
  w.loaded.set(lease.id, value);
  w.flights.delete(process);
  if (variant.adoptsWithoutLease && adopted !== undefined) w.redis.set('N', { value });
  yield* fill(w, 'N', lease, value);
  if (beside && adopted === undefined) yield* fill(w, 'K', beside, value);
  if (dual && variant.dualUnfenced) {
    w.redis.set('K', { value });
    yield;
  }
  return value;
}

function* join(w: World, lease: number): Steps<number> {
  for (;;) {
    const value = w.loaded.get(lease);
    if (value !== undefined) return value;
    yield;
  }
}

function* invalidate(w: World, phase: Phase): Steps<void> {
  const { variant } = w;
  const order = orderOf(variant, phase);
  const failing = variant.hard || variant.retriesOnlyWhatFailed ? Math.floor(w.random() * 5) : -1;
  for (const [index, key] of order.entries()) {
    if (index === failing && !variant.retriesOnlyWhatFailed) break;
    if (index !== failing) w.redis.delete(key);
    yield;
  }
  const failed = order[failing];
  for (const key of failed === undefined ? [] : variant.retriesOnlyWhatFailed ? [failed] : order) {
    w.redis.delete(key);
    yield;
  }
}

function orderOf(variant: Variant, phase: Phase): readonly Key[] {
  if (variant.plain) return phase === 'legacy' || phase === 'mirror' ? ['K'] : ['N'];
  if (variant.mirrorOff && phase === 'mirror') return ['C', 'K'];
  if (variant.legacyInvalidatesOwn && phase === 'legacy') return ['C', 'K'];
  return variant.order ?? ['C', 'K', 'N'];
}

function* write(w: World, phase: Phase): Steps<void> {
  if (w.variant.invalidatesBeforeCommit) yield* invalidate(w, phase);
  w.version += 1;
  const value = w.version;
  w.database = value;
  yield;
  if (!w.variant.invalidatesBeforeCommit) yield* invalidate(w, phase);
  w.acknowledged = Math.max(w.acknowledged, value);
}

/** Runs one schedule. @returns how many reads were stale in it. */
export function runSchedule(seed: number, variant: Variant): number {
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const w: World = {
    redis: new Map(),
    random,
    variant,
    late: [],
    started: new Set(),
    loaded: new Map(),
    flights: new Map(),
    database: 0,
    version: 0,
    acknowledged: 0,
    ids: 0,
  };
  const phase = () => variant.phases[pick(variant.phases.length)] as Phase;
  const read = (from: Phase) =>
    from === 'legacy' || from === 'mirror'
      ? legacyRead(w, from === 'mirror')
      : namespacedRead(w, pick(2), from === 'dual');
  const writer = (from: Phase) => (from === 'mirror' && random() < 0.5 ? readModifyWrite(w) : write(w, from));
  const live: { steps: Steps<unknown>; floor: number }[] = [];
  let stale = 0;
  for (let step = 0; step < 140; step += 1) {
    if (live.length < 6 && random() < 0.5) {
      const floor = w.acknowledged;
      live.push({ steps: random() < 0.65 ? read(phase()) : writer(phase()), floor });
    }
    if (w.late.length > 0 && random() < 0.15) w.late.splice(pick(w.late.length), 1)[0]?.();
    if (random() < 0.06) w.redis.delete((['N', 'K', 'C'] as const)[pick(3)] as Key);
    const index = pick(live.length);
    const process = live[index];
    if (!process) continue;
    const { done, value } = process.steps.next();
    if (!done) continue;
    live.splice(index, 1);
    if (typeof value === 'number' && value < process.floor) stale += 1;
  }
  return stale;
}
