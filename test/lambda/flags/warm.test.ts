import { describe, expect, test } from '@jest/globals';
import type { FlagAnswer, FlagOutcome } from '../../../lambda/flags/last-good.ts';
import type { FlagSet } from '../../../lambda/flags/schema.ts';
import { warmFlags } from '../../../lambda/flags/warm.ts';

const FLAG = {
  key: 'a',
  description: '',
  enabled: true,
  version: 1,
  updatedAt: '2026-01-01T00:00:00.000Z',
  updatedBy: 'test',
};
const SET: FlagSet = { environment: 'test', flags: [FLAG, { ...FLAG, key: 'b' }] };

/** Flags whose reads end so, one after the other, and the last one for ever. */
function flagsThat(...ends: (FlagOutcome | Error)[]) {
  let reads = 0;
  return {
    reads: () => reads,
    async all(): Promise<FlagAnswer<FlagSet>> {
      const end = ends[Math.min(reads, ends.length - 1)];
      reads += 1;
      if (end instanceof Error || end === undefined) throw end;
      return { value: SET, outcome: end };
    },
  };
}

const OPTIONS = { attempts: 3, pauseMs: 1 };

describe('warming', () => {
  test.each<[FlagOutcome]>([['miss'], ['hit']])('is over with a %s', async (outcome) => {
    const flags = flagsThat(outcome);
    expect(await warmFlags(flags, OPTIONS)).toEqual({ outcome, count: 2 });
    expect(flags.reads()).toBe(1);
  });

  test('is tried again while the cache is not in use yet', async () => {
    const flags = flagsThat('bypass', new Error('away'), 'miss');
    expect(await warmFlags(flags, OPTIONS)).toEqual({ outcome: 'miss', count: 2 });
    expect(flags.reads()).toBe(3);
  });

  test.each<[FlagOutcome | Error, object]>([
    ['bypass', { outcome: 'bypass', count: 2 }],
    ['stale', { outcome: 'stale', count: 2 }],
    [new Error('away'), { outcome: 'failed', count: 0 }],
  ])('gives up at last, and says how it ended: %s', async (end, report) => {
    const flags = flagsThat(end);
    expect(await warmFlags(flags, OPTIONS)).toEqual(report);
    expect(flags.reads()).toBe(3);
  });
});
