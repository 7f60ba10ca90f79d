import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Checker, createChecker } from '../../../rehearsal/checker.ts';
import {
  createRehearsalSource,
  type RehearsalSource,
  type RehearsalSourceOptions,
} from '../../../rehearsal/console/rehearsal-source.ts';
import { createRecorder, type Observation, type Recorder } from '../../../rehearsal/recorder.ts';
import { createSessionChecker } from '../../../rehearsal/session-checker.ts';

const OPTIONS = { seconds: 90, stages: [5, 100], users: 1, seed: 17, mode: 'coherent' } as const;

let checker: Checker;
let recorder: Recorder;
let router: { weightPercent: number };
let failures: number;

const open = (options: Partial<RehearsalSourceOptions['options']> = {}): RehearsalSource =>
  createRehearsalSource({
    ...{ options: { ...OPTIONS, ...options }, env: 'test', baselineSeconds: 1 },
    ...{ checker, sessionChecker: createSessionChecker(), recorder, router },
    ...{ faults: undefined, switchMirrorOff: undefined, connectionFailures: () => failures },
    flush: () => Promise.reject(new Error('no Redis')),
  });

beforeEach(() => {
  [checker, recorder, router, failures] = [createChecker(), createRecorder(), { weightPercent: 0 }, 0];
});

const entered = (state: string, type = 'Task') =>
  ({ kind: 'machine', event: { type: `${type}StateEntered`, at: 5, state } }) as const;

test.each([
  [{}, 'rehearsal v2, seed 17'],
  [{ migration: 'cw' }, 'rehearsal cw, seed 17'],
  [{ mode: 'naive' }, 'rehearsal v2, the plain way, seed 17'],
] as const)('of %j the title is %j', (options, title) => expect(open(options).state().title).toBe(title));

test('the state is of its moment', () => {
  const source = open();
  const observation: Observation = { backend: 'express', status: 200, latencyMs: 1, cache: 'hit' };
  recorder.record(observation);
  source.observed(observation);
  checker.acknowledged('K', { version: 2, backend: 'serverless', acknowledgement: 'done' });
  checker.end(checker.begin('K'), { version: 1, backend: 'express' });
  router.weightPercent = 25;
  source.log({ level: 'error', text: 'a line' });
  const state = source.state();
  expect(state).toMatchObject({
    ...{ kind: 'rehearsal', status: 'running', machine: null },
    weights: { legacy: 75, serverless: 25 },
    totals: { requests: 1, errors5xx: 0, writes: 1, lostSessions: 0, staleReads: 1 },
    stale: [{ key: 'K', readBy: 'legacy', writtenBy: 'serverless' }],
    safety: { level: 'unsafe', text: '1 stale read; do not go on' },
    log: [{ level: 'error', text: 'a line' }],
    actions: ['flush'],
  });
  expect(state.endsAt).toBe(state.startedAt + 91_000);
  expect(source.samples().map(({ backends }) => backends.legacy.requests)).toEqual([1]);
});

describe('the state machine', () => {
  test('is in the last state that does or waits for something', () => {
    const source = open();
    source.event(entered('Flush'));
    source.event(entered('Is all flushed', 'Choice'));
    source.event({ kind: 'machine', event: { type: 'TaskStateExited', at: 6, state: 'Begin' } });
    expect(source.state().machine).toEqual({ state: 'Flush', since: 5 });
    source.event(entered('Wait while it serves', 'Wait'));
    expect(source.state().machine?.state).toBe('Wait while it serves');
  });
});

describe('an alarm for connections to Redis', () => {
  const alarm = (source: RehearsalSource) =>
    source.state().alarms.find(({ name }) => name === 'redis-connection-failures');

  test('is about what is new since somebody has looked', () => {
    const source = open();
    failures = 3;
    expect(alarm(source)).toMatchObject({ state: 'ok', reason: '3 connections to Redis failed' });
    failures = 7;
    expect(alarm(source)).toMatchObject({ state: 'alarm', reason: '7 connections to Redis failed' });
  });
});

describe('the end', () => {
  test.each([
    ['pass', [], 'passed', 'safe', 'all stages have passed'],
    ['fail', ['too short'], 'failed', 'unsafe', 'the rehearsal has failed: too short'],
  ] as const)(
    'with %s is shown, and nothing can be asked for',
    async (verdict, reasons, status, level, text) => {
      const source = open();
      source.ended({ verdict, reasons });
      expect(source.state()).toMatchObject({ status, safety: { level, text }, actions: [] });
      await expect(source.act?.('flush')).rejects.toThrow('the rehearsal is over');
    },
  );

  test('a step is called one', () => {
    const source = open({ migration: 'cw' });
    source.event({ kind: 'step', step: { name: 'dual', phase: 'dual' } });
    expect(source.state().safety.text).toMatch(/^step dual is being watched/);
    expect(source.samples()).toEqual([]);
  });
});
