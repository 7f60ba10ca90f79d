import { describe, expect, test } from '@jest/globals';
import { type OutboxVariant, runOutboxSchedule } from './outbox.ts';

const SCHEDULES = 3000;

const BREAK: Readonly<Record<string, OutboxVariant>> = {
  'reading without bypass after a restart': { readsWithoutBypass: true },
  'a replay after a restart of unconfirmed rows only': { replaysOnlyUnconfirmed: true },
  'rows deleted upon confirmation': { deletesConfirmedRows: true },
  'a row inserted after the commit': { insertsAfterCommit: true },
  'an absent mark taken for a replay': { absentMarkIsReplayed: true },
  'a mark that is set before the replay': { marksBeforeReplay: true },
};

const firstStale = (variant: OutboxVariant) => {
  for (let seed = 0; seed < SCHEDULES; seed += 1) if (runOutboxSchedule(seed, variant) > 0) return seed;
  return undefined;
};

test('no read is stale that has to see a version', () => {
  expect(firstStale({})).toBeUndefined();
});

describe('each departure from it is stale', () => {
  test.each(Object.entries(BREAK))('%s', (_, variant) => {
    expect(firstStale(variant)).toBeDefined();
  });
});
