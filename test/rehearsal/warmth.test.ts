import { describe, expect, test } from '@jest/globals';
import type { RehearsalOptions } from '../../rehearsal/options.ts';
import { populate } from '../../rehearsal/population.ts';
import { seededRandom } from '../../rehearsal/random.ts';
import { expectedHitRate, expectedReads, warningsOf } from '../../rehearsal/warmth.ts';

const run = (users: number, seconds: number, seed = 1) => {
  const options: RehearsalOptions = { seconds, stages: [5, 25, 50, 100], users, seed, mode: 'coherent' };
  return [options, populate({ users, random: seededRandom(seed) })] as const;
};

describe('a warning', () => {
  test.each([
    [5000, 40],
    [5000, 90],
    [1000, 40],
    [100, 5],
  ])('is given for %d users in %d s', (users, seconds) => {
    expect(warningsOf(...run(users, seconds)).at(-1)).toMatch(
      new RegExp(
        `^${users} users are more than ${seconds} s can warm: expect a hit rate of 0\\.\\d\\d .* the gate wants 0.8; take fewer --users or more --seconds$`,
      ),
    );
  });

  test.each([
    [100, 40],
    [100, 90],
    [1, 40],
    [5000, 3600],
  ])('is not given for %d users in %d s', (users, seconds) => {
    expect(warningsOf(...run(users, seconds)).filter((warning) => /can warm/.test(warning))).toEqual([]);
  });

  test('does not depend on the seed', () => {
    for (let seed = 0; seed < 5; seed += 1) {
      expect(warningsOf(...run(100, 40, seed))).toEqual([]);
      expect(warningsOf(...run(1000, 40, seed))).toHaveLength(1);
    }
  });
});

describe('the reads to expect of the serverless backend', () => {
  test('follow from the devices that the first weight really moves', () => {
    const [options, population] = run(100, 40);
    const moved = expectedReads(options, population);
    expect(moved).toBeGreaterThan(200);
    expect(moved).toBeLessThan(900);
    for (const device of population.devices) device.draw = 0.5;
    expect(expectedReads(options, population)).toBe(0);
    expect(warningsOf(options, population)).toEqual([
      expect.stringMatching(/^expect 0 reads .* the gate wants 200/),
    ]);
    for (const device of population.devices) device.draw = 0;
    expect(Math.round(expectedReads(options, population))).toBe(8208);
  });
});

test('of a migration of keys the first step is what counts: a sixth of the time, at a weight of 80 %', () => {
  const [options, population] = run(100, 60);
  const cw = { ...options, migration: 'cw' as const };
  expect(expectedReads(cw, population)).toBeGreaterThan(0.79 * 600 * 0.95 * 10 * 0.9 * 0.98);
  expect(expectedReads(cw, population)).toBeLessThan(0.81 * 600 * 0.95 * 10 * 0.9 * 1.02);
  expect(expectedHitRate(cw, population)).toBeCloseTo(expectedHitRate(...run(100, 25)), 9);
  expect(warningsOf(cw, population)).toEqual([]);
});

describe('the hit rate to expect', () => {
  test('grows with the time and falls with the users, and stays a rate', () => {
    const rates = [
      [5000, 40],
      [1000, 40],
      [100, 40],
      [100, 400],
      [1, 3600],
    ].map(([users = 0, seconds = 0]) => expectedHitRate(...run(users, seconds)));
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    for (const rate of rates) {
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThan(1);
    }
  });

  test('has its limit in the writes: half of a key’s reads meet each of its writes', () => {
    // 47.5 reads by a device's backend for 5 writes.
    expect(expectedHitRate(...run(1, 24 * 3600))).toBeCloseTo(47.5 / 52.5, 3);
  });
});
