import { describe, expect, test } from '@jest/globals';
import { drawBy, type Random, seededRandom, shuffled, zipfShares } from '../../rehearsal/random.ts';

const take = (random: Random, count: number) => Array.from({ length: count }, () => random());
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('seededRandom', () => {
  test('gives the same numbers for the same seed, and others for another', () => {
    expect(take(seededRandom(7), 100)).toEqual(take(seededRandom(7), 100));
    const firsts = Array.from({ length: 1000 }, (_, seed) => seededRandom(seed)());
    expect(new Set(firsts).size).toBe(1000);
  });

  // Of the published algorithm: a change of it would change what every seed stands for.
  test('is mulberry32', () => {
    expect(take(seededRandom(1), 3).map((value) => Math.floor(value * 2 ** 32))).toEqual([
      2693262067, 11749833, 2265367787,
    ]);
  });

  test('spreads over 0 to below 1', () => {
    const values = take(seededRandom(3), 10_000);
    const tenths = Array.from({ length: 10 }, (_, tenth) =>
      values.filter((value) => Math.floor(value * 10) === tenth),
    );
    for (const tenth of tenths) {
      expect(tenth.length).toBeGreaterThan(880);
      expect(tenth.length).toBeLessThan(1120);
    }
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  });
});

describe('shuffled', () => {
  test('has the same members, in an order that the seed decides, and leaves the original', () => {
    const items = Object.freeze(Array.from({ length: 50 }, (_, index) => index));
    const result = shuffled(items, seededRandom(1));
    expect(result).not.toEqual(items);
    expect([...result].sort((a, b) => a - b)).toEqual(items);
    expect(shuffled(items, seededRandom(1))).toEqual(result);
    expect(shuffled(items, seededRandom(2))).not.toEqual(result);
  });

  test('gives every order about as often', () => {
    const random = seededRandom(5);
    const counts = new Map<string, number>();
    for (let run = 0; run < 6000; run += 1) {
      const order = shuffled(['a', 'b', 'c'], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) {
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1150);
    }
  });

  test('takes nothing, and one', () => {
    expect(shuffled([], seededRandom(1))).toEqual([]);
    expect(shuffled(['a'], seededRandom(1))).toEqual(['a']);
  });
});

describe('zipfShares', () => {
  test.each([1, 2, 400, 40_000])('of %d add up to 1, and fall', (count) => {
    const shares = zipfShares(count, 0.8);
    expect(shares).toHaveLength(count);
    expect(sum(shares)).toBeCloseTo(1, 9);
    expect(shares.every((share, rank) => rank === 0 || share < (shares[rank - 1] ?? 0))).toBe(true);
  });

  test('give rank k the share of the first one by k to the power', () => {
    const [first = 0, second = 0, , , , , , eighth = 0] = zipfShares(400, 0.8);
    expect(first / second).toBeCloseTo(2 ** 0.8, 9);
    expect(first / eighth).toBeCloseTo(8 ** 0.8, 9);
  });
});

describe('drawBy', () => {
  test('draws each index by its share', () => {
    const draw = drawBy([0.5, 0.3, 0.2]);
    const random = seededRandom(11);
    const drawn = Array.from({ length: 10_000 }, () => draw(random));
    const shares = [0, 1, 2].map((index) => drawn.filter((each) => each === index).length / 10_000);
    expect(sum(shares)).toBe(1);
    for (const [index, share] of [0.5, 0.3, 0.2].entries()) expect(shares[index]).toBeCloseTo(share, 1);
  });

  test('is exact at the borders', () => {
    const draw = drawBy([0.25, 0.25, 0.5]);
    expect([0, 0.2499, 0.25, 0.4999, 0.5, 0.9999].map((point) => draw(() => point))).toEqual([
      0, 0, 1, 1, 2, 2,
    ]);
  });

  test('never draws what has no share, nor beyond the end', () => {
    const draw = drawBy([0, 1, 0]);
    expect([0, 0.5, 1 - 2 ** -32].map((point) => draw(() => point))).toEqual([1, 1, 1]);
    const tenths = drawBy(Array(10).fill(0.1));
    expect(tenths(() => 1 - 2 ** -32)).toBe(9);
  });
});
