import { describe, expect, test } from '@jest/globals';
import type { Sample } from '../../../../rehearsal/console/contract.ts';
import { closed, withBatch } from '../../../../rehearsal/console/page/history.ts';
import { sampleOf } from './samples.ts';

const times = (samples: readonly Sample[]) => samples.map(({ at }) => at);
const second = (at: number) => sampleOf({ at: at * 1000 });

describe('withBatch', () => {
  test('appends what is new', () => {
    const known = withBatch([], { samples: [second(1), second(2)], replace: false });
    expect(times(withBatch(known, { samples: [second(3)], replace: false }))).toEqual([1000, 2000, 3000]);
  });

  test('puts a sample that has grown in the place of what it was', () => {
    const grown = sampleOf({ at: 2000, requests: 9 });
    const samples = withBatch([second(1), second(2)], { samples: [grown, second(3)], replace: false });
    expect(times(samples)).toEqual([1000, 2000, 3000]);
    expect(samples[1]).toBe(grown);
  });

  test('puts what a reconnect sends again in order', () => {
    const samples = withBatch([second(1), second(3)], { samples: [second(2), second(3)], replace: false });
    expect(times(samples)).toEqual([1000, 2000, 3000]);
  });

  test('forgets what was there when the server has merged its samples', () => {
    const merged = sampleOf({ at: 0, spanMs: 2000 });
    expect(withBatch([second(0), second(1)], { samples: [merged], replace: true })).toEqual([merged]);
    expect(withBatch([second(0)], { samples: [], replace: true })).toEqual([]);
  });

  test('keeps the last 4,000', () => {
    const all = Array.from({ length: 4100 }, (_, at) => second(at));
    const samples = withBatch(all.slice(0, 3990), { samples: all.slice(3990), replace: false });
    expect(samples).toHaveLength(4000);
    expect([samples[0]?.at, samples.at(-1)?.at]).toEqual([100_000, 4_099_000]);
  });
});

test('closed leaves out the one that is not over', () => {
  const samples = [second(1), second(2)];
  expect(times(closed(samples, 2999))).toEqual([1000]);
  expect(times(closed(samples, 3000))).toEqual([1000, 2000]);
});
