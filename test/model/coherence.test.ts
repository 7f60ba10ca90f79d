import { describe, expect, test } from '@jest/globals';
import { runSchedule, type Variant } from './coherence.ts';

/** Each departure is found within 400 of these; the protocol was also run over 100,000 without a stale read. */
const SCHEDULES = 3000;

const canary = ['isolated', 'mirror'] as const;
const migration = ['dual', 'mirror'] as const;

const HOLD: Readonly<Record<string, Variant>> = {
  'legacy with the mirror': { phases: ['legacy', 'mirror'], hard: true },
  'isolated with the mirror': { phases: canary, hard: true },
  'legacy and isolated at once': { phases: ['legacy', 'isolated', 'mirror'], hard: true },
  'dual with the mirror': { phases: migration, hard: true },
  'legacy and dual at once': { phases: ['legacy', 'dual', 'mirror'], hard: true },
  'dual and prefixed at once': { phases: ['dual', 'prefixed', 'mirror'], hard: true },
  'a mirror that always unlinks N': { phases: canary, hard: true, afterFill: 'unlink' },
};

const BREAK: Readonly<Record<string, Variant>> = {
  'plain get, load, set': { phases: canary, plain: true },
  'a fill that does not check the lease': { phases: canary, unfencedFill: true },
  'invalidation before the commit': { phases: canary, invalidatesBeforeCommit: true },
  'no mirror': { phases: canary, mirrorOff: true },
  'legacy fills without a fence': { phases: canary, legacyUnfenced: true },
  'joining by the name of the key': { phases: canary, joinsByKeyName: true },
  'the order K, C, N': { phases: canary, order: ['K', 'C', 'N'] },
  'dual fills of K without a fence': { phases: migration, dualUnfenced: true },
  'adopting K without the lease on N': { phases: migration, adoptsWithoutLease: true },
  'the order N, C, K in dual': { phases: migration, order: ['N', 'C', 'K'] },
  'repeating only the UNLINK that failed': { phases: migration, retriesOnlyWhatFailed: true },
  'phase legacy invalidates only its own': { phases: ['legacy', 'isolated'], legacyInvalidatesOwn: true },
  'a lost lease taken as held': { phases: canary, lostLeaseIs: 'held' },
  'a lost lease retried with its token': { phases: canary, lostLeaseIs: 'retried with the same token' },
  'a mirror that leaves N after a fill': { phases: canary, afterFill: 'leave' },
  'a SET that keeps K and the lease': { phases: canary, keepsLease: true },
};

const firstStale = (variant: Variant) => {
  for (let seed = 0; seed < SCHEDULES; seed += 1) if (runSchedule(seed, variant) > 0) return seed;
  return undefined;
};

describe('the protocol is never stale', () => {
  test.each(Object.entries(HOLD))('%s', (_, variant) => {
    expect(firstStale(variant)).toBeUndefined();
  });
});

describe('each departure from it is stale', () => {
  test.each(Object.entries(BREAK))('%s', (_, variant) => {
    expect(firstStale(variant)).toBeDefined();
  });
});
