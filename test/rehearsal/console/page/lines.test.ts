import { describe, expect, test } from '@jest/globals';
import {
  fallbackLines,
  hitRateLines,
  type Line,
  latencyLines,
  requestLines,
} from '../../../../rehearsal/console/page/lines.ts';
import { sampleOf } from './samples.ts';

const valuesOf = (lines: readonly Line[]) =>
  Object.fromEntries(lines.map(({ label, values }) => [label, values]));

test('requests are per second, however long a span is', () => {
  const samples = [sampleOf({ requests: 30 }), sampleOf({ at: 1000, spanMs: 4000, requests: 80 })];
  expect(valuesOf(requestLines(samples))).toEqual({ legacy: [0, 0], serverless: [30, 20] });
});

test('latency has a line a percentile, and a gap where there was no hit', () => {
  const lines = latencyLines([sampleOf({ p50Ms: 1, p95Ms: 5 }), sampleOf({ at: 1000 })]);
  expect(valuesOf(lines)).toMatchObject({ 'serverless p95': [5, null], 'serverless p50': [1, null] });
  expect(lines.filter(({ thin }) => thin).map(({ label }) => label)).toEqual([
    'legacy p50',
    'serverless p50',
  ]);
});

test('there is no line of fallbacks where there was none', () => {
  expect(fallbackLines([sampleOf()])).toEqual([]);
  expect(valuesOf(fallbackLines([sampleOf(), sampleOf({ spanMs: 2000, fallbacks: 6 })]))).toEqual({
    fallbacks: [0, 3],
  });
});

describe('hit rates', () => {
  const rates = (...samples: Parameters<typeof sampleOf>[0][]) =>
    valuesOf(hitRateLines(samples.map((sample, at) => sampleOf({ at: at * 1000, ...sample }))));

  test('are of the last five seconds, by their reads', () => {
    const cold = { hits: 0, misses: 10 };
    const warm = { hits: 30, misses: 0 };
    expect(rates(cold, warm, {}, {}, {}, {}, {})['serverless (v2:)']).toEqual([0, 75, 75, 75, 75, 100, null]);
  });

  test('are null where nothing was read', () => {
    expect(rates({}, { hits: 1, misses: 1 })).toEqual({
      'legacy (K)': [null, null],
      'serverless (v2:)': [null, 50],
    });
  });

  test('are of one namespace each: a new one begins anew', () => {
    const before = { hits: 9, misses: 1 };
    const after = { namespace: 'cw:production:', hits: 1, misses: 1 };
    expect(rates(before, before, after, after)).toMatchObject({
      'serverless (v2:)': [90, 90, null, null],
      'serverless (cw:production:)': [null, null, 50, 50],
    });
  });
});
