import { describe, expect, test } from '@jest/globals';
import { COLLECTIONS } from '../../lambda/contract/families.ts';
import { type Device, type Population, populate } from '../../rehearsal/population.ts';
import { type Random, seededRandom } from '../../rehearsal/random.ts';

const SEEDS = Array.from({ length: 20 }, (_, index) => index * 7919);
const WEIGHTS = [5, 25, 50, 100];

const of = (users: number, seed = 1) => populate({ users, random: seededRandom(seed) });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** How much of the traffic each device has. */
function traffic({ targets }: Population): Map<Device, number> {
  const result = new Map<Device, number>();
  for (const { devices, share } of targets) {
    for (const device of devices) result.set(device, (result.get(device) ?? 0) + share / 2);
  }
  return result;
}

/** The share of the traffic that goes to the serverless backend, in percent. */
const moved = (population: Population, weight: number, drawOf = ({ draw }: Device) => draw) =>
  sum(
    [...traffic(population)].filter(([device]) => drawOf(device) * 100 < weight).map(([, share]) => share),
  ) * 100;

const widest = (population: Population) => Math.max(...traffic(population).values()) * 100;

describe('a population', () => {
  test('has each user’s four lists, and two devices that are theirs alone', () => {
    const { targets, devices } = of(50);
    expect(targets).toHaveLength(50 * COLLECTIONS.length);
    expect(new Set(targets.map(({ key }) => key)).size).toBe(200);
    expect(devices).toHaveLength(100);
    expect(new Set(devices.map(({ name }) => name)).size).toBe(100);
    for (const { owner, key, devices: own } of targets) {
      expect(key).toBe(`${owner.collection}:user:${owner.userId}:list`);
      expect(own.map(({ name }) => name)).toEqual([`${owner.userId}-phone`, `${owner.userId}-laptop`]);
      expect(own.every((device) => devices.includes(device))).toBe(true);
    }
  });

  test('is the same for the same seed, and another for another', () => {
    const summaryOf = ({ targets, devices }: Population) => [targets.map(({ key }) => key), devices];
    expect(summaryOf(of(30, 5))).toEqual(summaryOf(of(30, 5)));
    expect(summaryOf(of(30, 5))).not.toEqual(summaryOf(of(30, 6)));
  });

  test('asks for the lists by their shares, which add up to 1', () => {
    const population = of(20);
    expect(sum(population.targets.map(({ share }) => share))).toBeCloseTo(1, 9);
    const random = seededRandom(3);
    const counts = new Map<string, number>();
    for (let draws = 0; draws < 40_000; draws += 1) {
      const { key } = population.next(random);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const { key, share } of population.targets.slice(0, 5)) {
      expect(Math.abs((counts.get(key) ?? 0) / 40_000 - share)).toBeLessThan(0.01);
    }
  });
});

describe('a weight', () => {
  test.each(WEIGHTS)('of %d %% moves as much traffic, whatever the seed, to half a device', (weight) => {
    for (const seed of SEEDS) {
      const population = of(100, seed);
      expect(Math.abs(moved(population, weight) - weight)).toBeLessThanOrEqual(widest(population) / 2 + 1e-9);
    }
  });

  test('is met closely on average', () => {
    for (const weight of WEIGHTS) {
      const mean = sum(SEEDS.map((seed) => moved(of(100, seed), weight))) / SEEDS.length;
      expect(Math.abs(mean - weight)).toBeLessThan(1);
    }
  });

  test('is missed by far more where each device draws for itself', () => {
    const independent = (random: Random) => {
      const draws = new Map<Device, number>();
      return (device: Device) => {
        const draw = draws.get(device) ?? random();
        draws.set(device, draw);
        return draw;
      };
    };
    const misses = SEEDS.filter((seed) => {
      const population = of(100, seed);
      const naive = moved(population, 50, independent(seededRandom(seed + 1)));
      return Math.abs(naive - 50) > widest(population) / 2;
    });
    expect(misses.length).toBeGreaterThan(5);
  });

  test('of 0 moves nobody, of 100 everybody', () => {
    for (const seed of SEEDS) {
      const draws = of(30, seed).devices.map(({ draw }) => draw);
      expect(Math.min(...draws)).toBeGreaterThan(0);
      expect(Math.max(...draws)).toBeLessThan(1);
    }
  });

  test('that grows takes nobody back', () => {
    const { devices } = of(100, 3);
    let before = new Set<Device>();
    for (let weight = 0; weight <= 100; weight += 1) {
      const now = new Set(devices.filter(({ draw }) => draw * 100 < weight));
      expect([...before].filter((device) => !now.has(device))).toEqual([]);
      before = now;
    }
    expect(before.size).toBe(devices.length);
  });

  test('in the middle divides users from themselves: that is what makes reads cross', () => {
    for (const seed of SEEDS) {
      const { targets } = of(100, seed);
      const divided = targets.filter(({ devices: [one, other] }) => one.draw < 0.5 !== other.draw < 0.5);
      expect(divided.length).toBeGreaterThan(targets.length / 4);
    }
  });
});
