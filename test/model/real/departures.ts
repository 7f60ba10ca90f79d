import type { Keyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import type { ApiCache } from '../../../lambda/http/wire.ts';
import type { ReplayOptions } from '../../../lambda/outbox/replay.ts';
import type { Writes, WritesOptions } from '../../../lambda/outbox/writes.ts';
import { createNaiveCache } from '../../../rehearsal/naive/cache.ts';
import { LOAD } from './database.ts';
import { bumpsByCounting, missingIsHit, sealsAfterLoad } from './departing-epochs.ts';
import {
  answersDone,
  deletesConfirmed,
  insertsAfterCommit,
  marksBeforeReplay,
  replaysUnconfirmed,
  takenForReplayed,
} from './departing-outbox.ts';
import { keepsLease, leavesN, lostIsHeld, lostIsRetried, unfenced } from './departing-send.ts';
import {
  adoptsWithoutLease,
  inOrder,
  joinsByName,
  legacyOnly,
  repeatsOnlyWhatFailed,
} from './departing-store.ts';
import type { Drawing } from './drawing.ts';

/** A way to depart from the protocol, around the product's code or in the place of a part of it. */
export interface Departure extends Drawing {
  /** The pairs of phases that two instances run in; default: every pair that may run at once. */
  readonly phases?: readonly (readonly [Phase, Phase])[];
  readonly runtimeSend?: (send: Send) => Send;
  readonly mirrorSend?: (send: Send) => Send;
  /** How an instance's gate asks; the dispatcher's keeps to the protocol, so that the mirror's opens again. */
  readonly gateSend?: (send: Send) => Send;
  readonly store?: (store: CacheStore, around: { phase: Phase; send: Send }) => CacheStore;
  readonly cache?: (cache: ApiCache, around: { keyspace: Keyspace; send: Send }) => ApiCache;
  readonly writes?: (options: WritesOptions) => Writes;
  readonly replay?: (options: ReplayOptions) => Promise<boolean>;
  readonly database?: (database: Database) => Database;
  readonly mirrorOff?: boolean;
  readonly invalidatesBeforeCommit?: boolean;
  /** Rows of the outbox are lost. */
  readonly losesRows?: boolean;
}

/** No departure: the product as it is, with faults. */
export const PROTOCOL: Departure = {
  loses: ['SET NX', 'SET NX', 'SET', 'UNLINK', 'UNLINK', 'EVAL', 'GET', 'MGET', 'DEL'],
};

const keys = { reads: ['list'], outbox: false, restartsPerMille: 0 } as const;
const tags = {
  reads: ['view'],
  outbox: false,
  restartsPerMille: 0,
  phases: [['isolated', 'isolated']],
} as const;
const restarts = {
  reads: ['list'],
  outbox: true,
  restartsPerMille: 300,
  phases: [['isolated', 'isolated']],
} as const;
const canary = { ...keys, phases: [['isolated', 'isolated']] } as const;
const migration = { ...keys, phases: [['dual', 'dual']] } as const;
const instances = { backends: ['a', 'b'] } as const;
const slowFills = { pauses: [LOAD, 'EVAL'] } as const;
const all = () => true;
const legacyKey = ({ leaseAt, home }: { leaseAt: string; home: string }) => leaseAt !== home;

/** The departures of the models (test/model/*.test.ts), by the same names, and some of whole processes; each has to be found stale. */
export const DEPARTURES = {
  'plain get, load, set': {
    ...canary,
    mirrorOff: true,
    cache: (_, { keyspace, send }) => createNaiveCache({ keyspace }, send),
  },
  'a fill that does not check the lease': {
    ...canary,
    runtimeSend: unfenced(all),
    mirrorSend: unfenced(all),
  },
  'invalidation before the commit': { ...canary, invalidatesBeforeCommit: true },
  'no mirror': { ...canary, mirrorOff: true },
  'legacy fills without a fence': { ...canary, mirrorSend: unfenced(all) },
  'joining by the name of the key': { ...canary, ...slowFills, cache: joinsByName },
  'the order K, C, N': {
    ...canary,
    backends: ['a', 'legacy'],
    pauses: [LOAD, 'EVAL', 'UNLINK'],
    store: inOrder(([c, k, ...n]) => [k, c, ...n]),
  },
  'dual fills of K without a fence': { ...migration, runtimeSend: unfenced(legacyKey) },
  'adopting K without the lease on N': { ...migration, store: adoptsWithoutLease },
  'the order N, C, K in dual': {
    ...migration,
    pauses: [LOAD, 'UNLINK'],
    store: inOrder(([c, k, ...n]) => [...n, c, k]),
  },
  'repeating only the UNLINK that failed': {
    ...migration,
    ...instances,
    ...slowFills,
    loses: ['UNLINK'],
    store: repeatsOnlyWhatFailed,
  },
  'answering done without a confirmation': {
    ...migration,
    ...instances,
    loses: ['UNLINK'],
    writes: answersDone,
  },
  'phase legacy invalidates only its own': { ...keys, phases: [['legacy', 'isolated']], store: legacyOnly },
  'a lost lease taken as held': {
    ...canary,
    ...instances,
    ...slowFills,
    loses: ['SET NX'],
    runtimeSend: lostIsHeld,
    mirrorSend: lostIsHeld,
  },
  'a lost lease retried with its token': {
    ...canary,
    ...instances,
    ...slowFills,
    loses: ['SET NX'],
    runtimeSend: lostIsRetried,
    mirrorSend: lostIsRetried,
  },
  'a mirror that leaves N after a fill': { ...canary, mirrorSend: leavesN },
  'a SET that keeps K and the lease': {
    ...keys,
    phases: [['legacy', 'legacy']],
    backends: ['legacy'],
    ...slowFills,
    loses: ['EVAL'],
    mirrorSend: keepsLease,
  },
  'the epoch fetched after the load': { ...tags, store: sealsAfterLoad },
  'a bump before the commit': { ...tags, names: ['tag'], invalidatesBeforeCommit: true },
  'a join that compares no epochs': { ...tags, ...instances, ...slowFills, cache: joinsByName },
  'a missing epoch taken as a hit': { ...tags, ...instances, store: missingIsHit },
  'a bump that counts, so that a lost epoch begins again': { ...tags, ...instances, store: bumpsByCounting },
  'reading without bypass after a restart': { ...restarts, gateSend: takenForReplayed() },
  'a mirror that reads without bypass': {
    ...restarts,
    backends: ['a', 'legacy'],
    mirrorSend: takenForReplayed(),
  },
  'a replay after a restart of unconfirmed rows only': { ...restarts, replay: replaysUnconfirmed },
  'rows deleted upon confirmation': { ...restarts, database: deletesConfirmed, losesRows: true },
  'a row inserted after the commit': {
    ...canary,
    outbox: true,
    writes: insertsAfterCommit,
    losesRows: true,
  },
  'an absent mark taken for a replay': { ...restarts, gateSend: takenForReplayed((mark) => mark === null) },
  'a mark that is set before the replay': { ...restarts, gateSend: marksBeforeReplay },
} satisfies Readonly<Record<string, Departure>>;
