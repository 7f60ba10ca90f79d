import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Observation } from '../../rehearsal/recorder.ts';
import { type BackendSpan, createTimeline, type Timeline } from '../../rehearsal/timeline.ts';

const START = 1_764_000_000_000;

let now = START;
let timeline: Timeline;

beforeEach(() => {
  now = START;
  timeline = createTimeline({ now: () => now });
});

const record = (observation: Partial<Observation> = {}) =>
  timeline.record({ backend: 'serverless', status: 200, latencyMs: 1, cache: 'hit', ...observation });

const hits = (...latencies: readonly number[]) => {
  for (const latencyMs of latencies) record({ latencyMs });
};
const serverless = () => timeline.spans().map(({ backends }) => backends.serverless);
const NOTHING: BackendSpan = { requests: 0, errors: 0, hits: 0, misses: 0, p50Ms: null, p95Ms: null };

test('a span holds what each backend did in its second', () => {
  record();
  record({ cache: 'miss' });
  timeline.fellBack(2);
  timeline.fellBack(1);
  record({ cache: 'bypass' });
  record({ cache: undefined, status: 499 });
  record({ cache: undefined, status: 500 });
  record({ backend: 'express', cache: 'miss' });
  now += 999;
  record();
  expect(timeline.spans()).toEqual([
    {
      ...{ at: START, spanMs: 1000, fallbacks: 3 },
      backends: {
        express: { ...NOTHING, requests: 1, misses: 1 },
        serverless: { requests: 6, errors: 1, hits: 2, misses: 1, p50Ms: 1, p95Ms: 1 },
      },
    },
  ]);
});

test('spans are aligned, begin with an observation, and the last one is told before it is over', () => {
  now += 300;
  record();
  now += 2900;
  expect(timeline.spans().map(({ at }) => at - START)).toEqual([0]);
  record();
  record();
  expect(timeline.spans().map(({ at }) => at - START)).toEqual([0, 3000]);
  expect(serverless().map(({ requests }) => requests)).toEqual([1, 2]);
});

describe('percentiles of hits', () => {
  test('are by nearest rank, whatever the order', () => {
    hits(5, 1, 4, 2, 3);
    expect(serverless()).toEqual([expect.objectContaining({ p50Ms: 3, p95Ms: 5 })]);
    hits(...Array.from({ length: 95 }, (_, index) => 100 - index));
    // 1 to 5 and 6 to 100.
    expect(serverless()).toEqual([expect.objectContaining({ p50Ms: 50, p95Ms: 95 })]);
  });

  test('are none without hits', () => {
    record({ cache: 'miss', latencyMs: 900 });
    expect(serverless()).toEqual([{ ...NOTHING, requests: 1, misses: 1 }]);
  });
});

describe('beyond so many spans', () => {
  beforeEach(() => {
    timeline = createTimeline({ now: () => now, maxSpans: 8 });
  });

  test('two and two become one, and the sums stay', () => {
    for (let second = 0; second < 8; second += 1) {
      for (let request = 0; request <= second; request += 1) record({ status: 500, latencyMs: second });
      now += 1000;
    }
    expect(timeline.spans().map(({ at, spanMs }) => [at - START, spanMs])).toEqual(
      [0, 2000, 4000, 6000].map((at) => [at, 2000]),
    );
    expect(serverless()).toEqual(
      [3, 7, 11, 15].map((requests) =>
        expect.objectContaining({ requests, errors: requests, hits: requests }),
      ),
    );
    // By how many hits each is of: 1 hit of 0 ms and 2 of 1 ms.
    expect(serverless()[0]).toMatchObject({ p50Ms: 0.67, p95Ms: 0.67 });
  });

  test('a neighbour without hits does not count', () => {
    for (const cache of ['hit', 'miss', 'miss', 'miss', 'hit', 'hit', 'hit', 'hit'] as const) {
      record({ cache, latencyMs: 8 });
      now += 1000;
    }
    expect(serverless().map(({ p95Ms }) => p95Ms)).toEqual([8, null, 8, 8]);
  });

  test.each([0, 1000, 2000, 3000])('there are never more, and nothing is lost, from %d ms on', (from) => {
    now += from;
    let most = 0;
    for (let second = 0; second < 1000; second += 1) {
      record();
      record({ backend: 'express' });
      timeline.fellBack(2);
      now += 1000;
      most = Math.max(most, timeline.spans().length);
    }
    expect(most).toBeLessThanOrEqual(8);
    const total = (backend: 'express' | 'serverless') =>
      timeline.spans().reduce((sum, { backends }) => sum + backends[backend].requests, 0);
    expect([total('express'), total('serverless')]).toEqual([1000, 1000]);
    expect(timeline.spans().reduce((sum, { fallbacks }) => sum + fallbacks, 0)).toBe(2000);
    const ends = timeline.spans().map(({ at, spanMs }) => at + spanMs);
    expect(
      timeline
        .spans()
        .slice(1)
        .map(({ at }) => at),
    ).toEqual(ends.slice(0, -1));
  });
});
