import { expect, test } from '@jest/globals';
import { createSamples } from '../../../../rehearsal/console/source/samples.ts';
import { createTimeline } from '../../../../rehearsal/timeline.ts';

const START = 1_764_000_000_000;

let at = START;
const now = () => at;

function record() {
  const timeline = createTimeline({ now });
  const samples = createSamples({ timeline, env: 'test', phase: 'legacy', now });
  const second = () => {
    timeline.record({ backend: 'express', status: 200, latencyMs: 2, cache: 'miss' });
    timeline.record({ backend: 'serverless', status: 200, latencyMs: 3, cache: 'hit' });
    at += 1000;
  };
  return { timeline, samples, second };
}

test('a sample names the namespace of the phase that it ends in, and the legacy backend has one only', () => {
  at = START;
  const { samples, second, timeline } = record();
  second();
  at += 500;
  samples.shifted('dual');
  timeline.fellBack(2);
  second();
  samples.shifted('prefixed');
  second();
  samples.shifted('isolated');
  second();
  const all = samples.all();
  expect(all.map(({ backends }) => backends.serverless.namespace)).toEqual([
    'K',
    'cw:test:',
    'cw:test:',
    'v2:',
  ]);
  expect(all.map(({ backends }) => backends.legacy.namespace)).toEqual(['K', 'K', 'K', 'K']);
  expect(all.map(({ fallbacks }) => fallbacks)).toEqual([0, 2, 0, 0]);
  expect(all[0]).toEqual({
    ...{ at: START, spanMs: 1000, fallbacks: 0 },
    backends: {
      legacy: { requests: 1, errors: 0, hits: 0, misses: 1, p50Ms: null, p95Ms: null, namespace: 'K' },
      serverless: { requests: 1, errors: 0, hits: 1, misses: 0, p50Ms: 3, p95Ms: 3, namespace: 'K' },
    },
  });
});

test('what is over is made once', () => {
  at = START;
  const { samples, second } = record();
  second();
  second();
  const [first] = samples.all();
  second();
  expect(samples.all()[0]).toBe(first);
});
