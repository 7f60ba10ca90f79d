import { describe, expect, test } from '@jest/globals';
import { GATE, judge, type StageFigures } from '../../../lambda/rollout/gates.ts';

/** Passes, with a number of its own for each figure, so that two of them taken for each other would show. */
const GOOD: StageFigures = { requests: 20_000, errors: 3, hitP95Ms: 17, reads: 900, hits: 850 };

const judging = (figures: Partial<StageFigures>) => judge({ ...GOOD, ...figures });

test('the rule is that of requirement R19', () => {
  expect(GATE).toEqual({ maxErrorPercent: 0.1, maxHitP95Ms: 100, minHitRate: 0.8, minReads: 200 });
});

test('a good stage has nothing against it', () => {
  expect(judge(GOOD)).toEqual([]);
});

describe('errors have to be below 0.1 %', () => {
  test.each([
    [1000, 0, []],
    [20_000, 19, []],
    [1001, 1, []],
    [1000, 1, ['errors 0.10 % are not below 0.1 %']],
    [20_000, 20, ['errors 0.10 % are not below 0.1 %']],
    [3000, 3, ['errors 0.10 % are not below 0.1 %']],
    [999, 1, ['errors 0.10 % are not below 0.1 %']],
    [20_000, 5000, ['errors 25.00 % are not below 0.1 %']],
  ])('of %d requests, %d: %j', (requests, errors, complaints) => {
    expect(judging({ requests, errors })).toEqual(complaints);
  });

  test('and somebody has to have asked', () => {
    expect(judging({ requests: 0, errors: 0 })).toEqual(['no request was answered']);
  });
});

describe('the hit rate has to be above 0.8', () => {
  test.each([
    [200, 161, []],
    [1000, 801, []],
    [200, 160, ['hit rate 0.80 is not above 0.8']],
    [1000, 800, ['hit rate 0.80 is not above 0.8']],
    [200, 159, ['hit rate 0.80 is not above 0.8']],
    [500, 200, ['hit rate 0.40 is not above 0.8']],
    [500, 0, ['hit rate 0.00 is not above 0.8']],
  ])('of %d reads, %d hits: %j', (reads, hits, complaints) => {
    expect(judging({ reads, hits })).toEqual(complaints);
  });

  test.each([
    [199, 199],
    [199, 0],
    [1, 1],
    [0, 0],
  ])('and %d reads, %d of them hits, are too few to tell', (reads, hits) => {
    expect(judging({ reads, hits })).toEqual([`${reads} reads are fewer than the 200 that a hit rate needs`]);
  });
});

describe('p95 of hits has to be below 100 ms', () => {
  test.each([
    [0, []],
    [99.99, []],
    [100, ['p95 of hits 100 ms is not below 100 ms']],
    [100.01, ['p95 of hits 100.01 ms is not below 100 ms']],
  ])('%d ms: %j', (hitP95Ms, complaints) => {
    expect(judging({ hitP95Ms })).toEqual(complaints);
  });

  test('without a hit it is the hit rate that complains', () => {
    expect(judging({ hitP95Ms: undefined, hits: 0 })).toEqual(['hit rate 0.00 is not above 0.8']);
  });
});

test('everything that is wrong is said', () => {
  expect(judge({ requests: 100, errors: 1, hitP95Ms: 250, reads: 300, hits: 30 })).toEqual([
    'errors 1.00 % are not below 0.1 %',
    'hit rate 0.10 is not above 0.8',
    'p95 of hits 250 ms is not below 100 ms',
  ]);
});
