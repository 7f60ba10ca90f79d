import { expect, test } from '@jest/globals';
import type { BackendSample, Sample } from '../../../../rehearsal/console/contract.ts';
import { ALARM_WINDOW_MS, type AlarmFigures, alarmsOf } from '../../../../rehearsal/console/source/alarms.ts';

const NOW = 1_764_000_000_000;
const NOTHING: BackendSample = {
  ...{ requests: 0, errors: 0, hits: 0, misses: 0, p50Ms: null, p95Ms: null, namespace: 'v2:' },
};

const sample = (serverless: Partial<BackendSample>, at = NOW - 1000): Sample => ({
  ...{ at, spanMs: 1000, fallbacks: 0 },
  backends: { legacy: { ...NOTHING, requests: 9, errors: 9 }, serverless: { ...NOTHING, ...serverless } },
});

const states = (figures: Partial<AlarmFigures>) =>
  Object.fromEntries(
    alarmsOf({
      ...{ samples: [], now: NOW, staleReads: 0, connectionFailures: 0, uncoveredAt: undefined },
      ...figures,
    }).map(({ name, state }) => [name, state]),
  );

const CALM = {
  'api-errors': 'ok',
  'cache-miss-rate': 'ok',
  'redis-connection-failures': 'ok',
  'stale-entries': 'ok',
  'uncovered-writers': 'ok',
};
const GOOD = sample({ requests: 1000, errors: 10, hits: 800, misses: 200 });

test('all are green at their thresholds', () => {
  expect(states({ samples: [GOOD], connectionFailures: 5 })).toEqual(CALM);
});

test.each<[keyof typeof CALM, Partial<AlarmFigures>]>([
  ['api-errors', { samples: [GOOD, sample({ requests: 10, errors: 1 })] }],
  ['cache-miss-rate', { samples: [GOOD, sample({ requests: 10, misses: 1 })] }],
  ['redis-connection-failures', { connectionFailures: 6 }],
  ['stale-entries', { staleReads: 1 }],
  ['uncovered-writers', { uncoveredAt: NOW - ALARM_WINDOW_MS }],
])('%s alone is red above its own', (name, figures) => {
  expect(states({ samples: [GOOD], ...figures })).toEqual({ ...CALM, [name]: 'alarm' });
});

test('what is too little, or long ago, says nothing', () => {
  const old = sample({ requests: 1000, errors: 900, misses: 900 }, NOW - ALARM_WINDOW_MS - 1);
  const figures = { samples: [old, sample({ misses: 199 })], uncoveredAt: NOW - ALARM_WINDOW_MS - 1 };
  expect(states(figures)).toEqual({ ...CALM, 'api-errors': 'unknown', 'cache-miss-rate': 'unknown' });
});
