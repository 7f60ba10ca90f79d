import { describe, expect, test } from '@jest/globals';
import { type EpochVariant, runEpochSchedule } from './epochs.ts';

const SCHEDULES = 3000;

const BREAK: Readonly<Record<string, EpochVariant>> = {
  'the epoch fetched after the load': { fetchesEpochAfterLoad: true },
  'a bump before the commit': { bumpsBeforeCommit: true },
  'a join that compares no epochs': { joinsWithoutComparing: true },
  'a missing epoch taken as a hit': { missingEpochIsHit: true },
  'a bump that counts, so that a lost epoch begins again': { bumpsByCounting: true },
  'a tagged entry that adopts the legacy value': { adoptsLegacy: true },
};

const firstStale = (variant: EpochVariant) => {
  for (let seed = 0; seed < SCHEDULES; seed += 1) if (runEpochSchedule(seed, variant) > 0) return seed;
  return undefined;
};

test('tagged reads are never stale', () => {
  expect(firstStale({})).toBeUndefined();
});

describe('each departure from it is stale', () => {
  test.each(Object.entries(BREAK))('%s', (_, variant) => {
    expect(firstStale(variant)).toBeDefined();
  });
});
