/**
 * A random-interleaving model of the outbox: a write's row is inserted in its transaction, writers die between commit
 * and invalidation, and Redis restarts empty or from an older snapshot. One key, filled under a lease. Beside
 * test/model/coherence.ts, which is the protocol where everybody lives.
 */
import { seededRandom } from '../../rehearsal/random.ts';
import { countStale, type Steps } from './interleave.ts';

/** Each field is a departure from the protocol. */
export interface OutboxVariant {
  readonly readsWithoutBypass?: boolean;
  /** After a restart, too, only rows that were not confirmed are replayed. */
  readonly replaysOnlyUnconfirmed?: boolean;
  readonly deletesConfirmedRows?: boolean;
  /** The row is inserted after the commit: whoever dies in between leaves none. */
  readonly insertsAfterCommit?: boolean;
  /** Where there is no mark, nothing is bypassed, although a snapshot may be older than the first mark. */
  readonly absentMarkIsReplayed?: boolean;
  /** Redis is said to be replayed before it is. */
  readonly marksBeforeReplay?: boolean;
}

interface Redis {
  readonly value?: number | undefined;
  readonly lease?: number | undefined;
  /** The run of Redis for which all rows were replayed; absent until the first replay, and on a server without data. */
  readonly replayed?: number | undefined;
}

interface Row {
  confirmed: boolean;
}

interface World {
  readonly variant: OutboxVariant;
  readonly random: () => number;
  redis: Redis;
  snapshot: Redis;
  run: number;
  rows: Row[];
  database: number;
  /** What every read has to see: acknowledged, or committed before a pass of the dispatcher that has ended. */
  binding: number;
  drawn: number;
}

const unlink = (w: World) => {
  w.redis = { replayed: w.redis.replayed };
};

function* read(w: World): Steps<number> {
  const { redis, variant } = w;
  const trusted =
    variant.readsWithoutBypass || (variant.absentMarkIsReplayed && redis.replayed === undefined);
  const bypass = redis.replayed !== w.run && !trusted;
  yield;
  if (!bypass && redis.value !== undefined) return redis.value;
  w.drawn += 1;
  const lease = w.drawn;
  if (!bypass) {
    if (w.redis.value === undefined && w.redis.lease === undefined) w.redis = { ...w.redis, lease };
    yield;
  }
  const value = w.database;
  yield;
  if (!bypass && w.redis.lease === lease) w.redis = { value, replayed: w.redis.replayed };
  yield;
  return value;
}

function* write(w: World): Steps<undefined> {
  const row: Row = { confirmed: false };
  w.database += 1;
  const version = w.database;
  if (!w.variant.insertsAfterCommit) w.rows.push(row);
  yield;
  if (w.random() < 0.2) return undefined;
  if (w.variant.insertsAfterCommit) w.rows.push(row);
  yield;
  unlink(w);
  yield;
  w.binding = Math.max(w.binding, version);
  yield;
  confirm(w, [row]);
  return undefined;
}

function confirm(w: World, rows: readonly Row[]): void {
  for (const row of rows) row.confirmed = true;
  if (w.variant.deletesConfirmedRows) w.rows = w.rows.filter((row) => !rows.includes(row));
}

/** A pass of the dispatcher: what was not confirmed, and after a restart everything. */
function* dispatch(w: World): Steps<undefined> {
  const { variant, run } = w;
  const restarted = w.redis.replayed !== run;
  yield;
  const committed = w.database;
  const all = restarted && !variant.replaysOnlyUnconfirmed;
  const rows = w.rows.filter((row) => all || !row.confirmed);
  yield;
  const mark = () => {
    w.redis = { ...w.redis, replayed: run };
  };
  if (restarted && variant.marksBeforeReplay) {
    mark();
    yield;
  }
  if (rows.length > 0) unlink(w);
  yield;
  if (restarted && !variant.marksBeforeReplay) mark();
  yield;
  confirm(w, rows);
  w.binding = Math.max(w.binding, committed);
  return undefined;
}

/** Runs one schedule. @returns how many reads were stale in it. */
export function runOutboxSchedule(seed: number, variant: OutboxVariant): number {
  const random = seededRandom(seed);
  const empty: Redis = {};
  const w: World = {
    variant,
    random,
    redis: empty,
    snapshot: empty,
    run: 0,
    rows: [],
    database: 0,
    binding: 0,
    drawn: 0,
  };
  return countStale({
    random,
    floor: () => w.binding,
    begin() {
      const which = random();
      if (which < 0.55) return read(w);
      return which < 0.85 ? write(w) : dispatch(w);
    },
    happen() {
      const which = random();
      if (which < 0.03) unlink(w);
      else if (which < 0.08) w.snapshot = w.redis;
      else if (which < 0.11) {
        w.run += 1;
        w.redis = which < 0.09 ? empty : w.snapshot;
      }
    },
  });
}
