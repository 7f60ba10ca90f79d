import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createRecorder, type Observation, type Recorder } from '../../rehearsal/recorder.ts';

let recorder: Recorder;

beforeEach(() => {
  jest.useFakeTimers();
  recorder = createRecorder();
});
afterEach(() => void jest.useRealTimers());

const pass = (ms: number) => jest.advanceTimersByTime(ms);

const record = (observation: Partial<Observation> = {}) =>
  recorder.record({ backend: 'serverless', status: 200, latencyMs: 1, cache: 'hit', ...observation });

const reads = (hits: number, misses: number) => {
  for (let count = 0; count < hits; count += 1) record();
  for (let count = 0; count < misses; count += 1) record({ cache: 'miss' });
};

test('counts requests, and errors from 500 on', () => {
  for (const status of [200, 404, 413, 499, 500, 502, 503]) record({ status, cache: undefined });
  expect([recorder.requests, recorder.errors5xx]).toEqual([7, 3]);
});

test('a mark is where the run is', () => {
  reads(2, 1);
  record({ cache: undefined, status: 500 });
  expect(recorder.mark()).toEqual({ requests: 4, errors: 1, reads: 3 });
});

describe('the hit rate', () => {
  test('is of the serverless backend, and of reads', () => {
    reads(1, 1);
    record({ cache: 'bypass' });
    record({ backend: 'express', cache: 'hit' });
    record({ cache: undefined });
    expect(recorder.rateSince(0)).toEqual({ reads: 3, hits: 1 });
  });

  test('since a time counts from then on', () => {
    reads(0, 5);
    pass(100);
    const from = performance.now();
    reads(3, 1);
    pass(100);
    reads(1, 0);
    expect(recorder.rateSince(from)).toEqual({ reads: 5, hits: 4 });
    expect(recorder.rateSince(from + 1)).toEqual({ reads: 1, hits: 1 });
    expect(recorder.rateSince(from + 101)).toEqual({ reads: 0, hits: 0 });
  });

  test('takes the last ones from before when there are too few, but none from before the mark', () => {
    reads(0, 5);
    const since = recorder.mark();
    reads(0, 2);
    pass(100);
    const from = performance.now();
    reads(2, 0);
    const last = (atLeast: number) => recorder.rateSince(from, { atLeast, since });
    expect(last(2)).toEqual({ reads: 2, hits: 2 });
    expect(last(3)).toEqual({ reads: 3, hits: 2 });
    expect(last(200)).toEqual({ reads: 4, hits: 2 });
    expect(last(1)).toEqual({ reads: 2, hits: 2 });
  });
});

describe('the trailing rate', () => {
  test('is of the last reads since a mark, and undefined while these are too few', () => {
    reads(0, 10);
    const mark = recorder.mark();
    reads(3, 0);
    expect(recorder.trailingRate(4, mark)).toBeUndefined();
    reads(0, 1);
    expect(recorder.trailingRate(4, mark)).toBe(0.75);
    reads(1, 0);
    expect(recorder.trailingRate(4, mark)).toBe(0.75);
    reads(4, 0);
    expect(recorder.trailingRate(4, mark)).toBe(1);
  });

  test('does not count what is no read of the serverless backend', () => {
    const mark = recorder.mark();
    record({ backend: 'express' });
    record({ cache: undefined });
    expect(recorder.trailingRate(1, mark)).toBeUndefined();
  });
});

describe('p95', () => {
  test('is of hits, by backend', () => {
    for (let ms = 1; ms <= 100; ms += 1) record({ latencyMs: ms });
    record({ latencyMs: 9999, cache: 'miss' });
    record({ latencyMs: 7, backend: 'express' });
    const { serverless, express } = recorder.hitP95Ms();
    expect(serverless).toBeGreaterThanOrEqual(94.9);
    expect(serverless).toBeLessThan(95.2);
    expect(express).toBe(7);
  });

  test('is undefined where there was no hit, also after a restart', () => {
    expect(recorder.hitP95Ms()).toEqual({ express: undefined, serverless: undefined });
    record({ latencyMs: 3 });
    recorder.restartLatencies();
    expect(recorder.hitP95Ms()).toEqual({ express: undefined, serverless: undefined });
    record({ latencyMs: 5 });
    expect(recorder.hitP95Ms().serverless).toBe(5);
  });

  test('takes a latency of nothing', () => {
    record({ latencyMs: 0 });
    expect(recorder.hitP95Ms().serverless).toBe(0);
  });
});

test('shares are counted from one call to the next', () => {
  record();
  record({ backend: 'express', cache: undefined });
  record({ backend: 'express', status: 500, cache: undefined });
  expect(recorder.takeShares()).toEqual({ express: 2, serverless: 1 });
  expect(recorder.takeShares()).toEqual({ express: 0, serverless: 0 });
  expect(recorder.requests).toBe(3);
});
