import { expect, test } from '@jest/globals';
import type { BundleRow } from '../../../bench/api/rows.ts';
import { judgeApi } from '../../../bench/api/targets.ts';

const bundle = (row: Partial<BundleRow>): BundleRow => ({
  case: 'bundle',
  bundle: 'api',
  sizeKb: 700,
  until: 'answered',
  startMs: 150,
  overBareMs: 100,
  ...row,
});
const verdicts = (row: Partial<BundleRow>) => judgeApi([bundle(row)]).map(({ met }) => met);

test('the API starts within 140 ms more than the bare handler', () => {
  expect(verdicts({ overBareMs: 140 })).toEqual([true, true]);
  expect(verdicts({ overBareMs: 140.1 })).toEqual([false, true]);
});

test('the bundle of the API is below 800 KB', () => {
  expect(verdicts({ sizeKb: 799.9 })).toEqual([true, true]);
  expect(verdicts({ sizeKb: 800 })).toEqual([true, false]);
});

test('what was not measured is not met', () => {
  expect(verdicts({ overBareMs: Number.NaN })).toEqual([false, true]);
});

test('only the API is judged', () => {
  expect(judgeApi([bundle({ bundle: 'dispatcher', overBareMs: 1000, sizeKb: 1000 })])).toEqual([]);
});
