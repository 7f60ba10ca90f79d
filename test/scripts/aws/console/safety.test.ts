import { expect, test } from '@jest/globals';
import { type Cursor, STATES } from '../../../../lambda/contract/rollout.ts';
import type { StageMinute } from '../../../../scripts/aws/console/figures.ts';
import { type Known, safetyOf } from '../../../../scripts/aws/console/safety.ts';

const MINUTE_MS = 60_000;
const MINUTE: StageMinute = {
  ...{ at: 0, requests: 1500, errors: 0, hits: 950, misses: 50, fallbacks: 0 },
  ...{ connectionFailures: 0, staleEntries: 0, p50Ms: 5, p95Ms: 20 },
  latencies: [{ p95Ms: 20, samples: 100 }],
};
const minutes = (change: (minute: number) => Partial<StageMinute> = () => ({})): StageMinute[] =>
  Array.from({ length: 20 }, (_, minute) => ({ ...MINUTE, at: minute * MINUTE_MS, ...change(minute) }));

const CURSOR: Cursor = {
  stages: [{ percent: 25, minutes: 60 }],
  ...{ index: 0, step: 'observe', percent: 25, weights: { legacy: 75, serverless: 25 }, note: 'it has 25 %' },
  advancedAt: new Date(0).toISOString(),
};
const execution = (status: string, error?: string, cause?: string) => ({
  ...{ name: 'rollout-1', arn: 'arn', status, startedAt: '' },
  ...(error && { error }),
  ...(cause && { cause }),
});
const entered = (state: string) => ({ id: 1, at: '', state, cursor: undefined });

const IDLE: Known = {
  ...{ stage: 'production', problem: undefined, status: 'idle', execution: undefined, last: undefined },
  ...{ cursor: undefined, redAlarms: [], minutes: minutes(), staleEntries: 0 },
};
const RUNNING: Known = {
  ...IDLE,
  ...{ status: 'running', execution: execution('RUNNING'), last: entered(STATES.observe), cursor: CURSOR },
};
const cold = (until: number) =>
  minutes((minute) =>
    minute < until ? { hits: 300, misses: 700, latencies: [{ p95Ms: 400, samples: 100 }] } : {},
  );

test.each<[string, Known, 'safe' | 'wait' | 'unsafe', RegExp]>([
  ['nothing runs', IDLE, 'safe', /^No rollout runs: no alarm is red/],
  ['it is done', { ...IDLE, status: 'passed', execution: execution('SUCCEEDED') }, 'safe', /is done/],
  ['a stage is observed', RUNNING, 'wait', /^it has 25 %; nothing speaks against going on so far/],
  ['caches recover after a flush', { ...RUNNING, minutes: cold(9) }, 'wait', /nothing speaks against/],
  [
    'they do not recover',
    { ...RUNNING, minutes: cold(20) },
    'unsafe',
    /^hit rate 0.30 is not above 0.8; p95/,
  ],
  [
    'a stage is being flushed, and cold',
    { ...RUNNING, cursor: { ...CURSOR, advancedAt: null }, minutes: cold(20) },
    'wait',
    /nothing speaks against/,
  ],
  ['errors', { ...RUNNING, minutes: minutes(() => ({ errors: 30 })) }, 'unsafe', /^errors 2.00 %/],
  [
    'Redis is lost',
    { ...RUNNING, minutes: minutes((minute) => ({ connectionFailures: minute === 3 ? 1 : 0 })) },
    'unsafe',
    /^1 connections to Redis failed/,
  ],
  ['a stale entry, however long ago', { ...IDLE, staleEntries: 1 }, 'unsafe', /^the auditor found 1/],
  ['a red alarm', { ...IDLE, redAlarms: ['A', 'B'] }, 'unsafe', /^red alarms: A, B\.$/],
  ['it goes back', { ...RUNNING, last: entered(STATES.serverlessBack) }, 'unsafe', /^The rollout goes back/],
  [
    'it went back',
    { ...IDLE, status: 'failed', execution: execution('FAILED', 'RolloutGateError', 'the gate') },
    'unsafe',
    /^The rollout went back: the gate$/,
  ],
  [
    'it was refused',
    { ...IDLE, status: 'failed', execution: execution('FAILED', 'RolloutRefusedError', 'another one runs') },
    'unsafe',
    /^The rollout was refused, and nothing was changed: another one runs$/,
  ],
  [
    'it was aborted, which takes nothing back',
    { ...IDLE, status: 'failed', execution: execution('ABORTED') },
    'unsafe',
    /nobody has taken the traffic back: npm run cutover -- rollback --stage production$/,
  ],
  ['it waits for an approval', { ...RUNNING, status: 'paused' }, 'wait', /it waits for an approval/],
  ['AWS does not answer', { ...IDLE, problem: 'no credentials' }, 'wait', /^AWS cannot be asked: no cred/],
  ['nothing is known', { ...IDLE, minutes: [] }, 'wait', /no figures/],
])('%s', (_what, known, level, text) => {
  expect(safetyOf(known)).toEqual({ level, text: expect.stringMatching(text) });
});
