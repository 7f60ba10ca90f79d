import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RehearsalEvent } from '../../../../rehearsal/console/source/narration.ts';
import { createProgress, type Progress } from '../../../../rehearsal/console/source/progress.ts';
import type { StageReport } from '../../../../rehearsal/report.ts';
import type { StepReport } from '../../../../rehearsal/step-report.ts';

const START = 1_764_000_000_000;
const OPTIONS = { seconds: 90, stages: [5, 25, 50, 100], users: 1, seed: 1, mode: 'coherent' } as const;

let at: number;
let progress: Progress;

const open = (migration: 'v2' | 'cw') => {
  at = START;
  progress = createProgress({ ...OPTIONS, migration, baselineSeconds: 1, now: () => at });
};
const pass = (seconds: number) => {
  at += seconds * 1000;
};
const stage = (weightPercent: number): RehearsalEvent => ({ kind: 'stage', weightPercent });
const judged = (weightPercent: number, ...reasons: readonly string[]): RehearsalEvent => ({
  ...{ kind: 'judged', requests: 1, reads: 1 },
  stage: { weightPercent, gate: reasons.length === 0 ? 'pass' : 'fail', reasons } as StageReport,
});
const statuses = () => progress.stages().map(({ name, status }) => `${name} ${status}`);

describe('stages', () => {
  beforeEach(() => open('v2'));

  test('are next, then current, then passed', () => {
    expect(statuses()).toEqual(['5 % next', '25 % next', '50 % next', '100 % next']);
    expect(progress.current()).toBeUndefined();
    progress.event(stage(5));
    expect(statuses()).toEqual(['5 % current', '25 % next', '50 % next', '100 % next']);
    progress.event(judged(5));
    progress.event(stage(25));
    expect(statuses()).toEqual(['5 % passed', '25 % current', '50 % next', '100 % next']);
  });

  test('that fail say why, and nothing is current then', () => {
    progress.event(stage(5));
    progress.event(judged(5, 'too slow'));
    expect(progress.stages()[0]).toEqual({ name: '5 %', status: 'failed', reasons: ['too slow'] });
    expect(progress.current()).toBeUndefined();
  });

  test('have so many seconds left, and none when they are late', () => {
    pass(1);
    progress.event(stage(5));
    expect(progress.current()).toEqual({ name: '5 %', leftSeconds: 36 });
    pass(6.5);
    expect(progress.current()?.leftSeconds).toBe(30);
    pass(100);
    expect(progress.current()?.leftSeconds).toBe(0);
  });

  test('get the time back that they are paused', () => {
    progress.event(stage(5));
    pass(6);
    progress.pause();
    progress.pause();
    pass(1000);
    expect([progress.isPaused, progress.current()?.leftSeconds]).toEqual([true, 30]);
    expect(progress.endsAt).toBe(START + 91_000 + 1_000_000);
    progress.resume();
    pass(10);
    expect([progress.isPaused, progress.current()?.leftSeconds]).toEqual([false, 20]);
    progress.event(judged(5));
    progress.event(stage(25));
    expect(progress.current()).toEqual({ name: '25 %', leftSeconds: 18 });
    expect(progress.endsAt).toBe(START + 91_000 + 1_000_000);
  });
});

describe('steps', () => {
  beforeEach(() => open('cw'));

  const step = (name: string): RehearsalEvent => ({ kind: 'step', step: { name, phase: 'dual' } });
  const stepJudged = (name: string, gate: 'pass' | 'fail'): RehearsalEvent => ({
    kind: 'step judged',
    step: { step: name, gate, reasons: gate === 'pass' ? [] : ['no'] } as unknown as StepReport,
  });

  test('are there with the way back', () => {
    expect(progress.stages().map(({ name }) => name)).toEqual([
      'legacy',
      'dual',
      'backfill',
      'prefixed',
      'back to dual',
      'back to legacy',
    ]);
    progress.event(step('legacy'));
    expect(progress.current()).toEqual({ name: 'legacy', leftSeconds: 15 });
  });

  test('that a failure leaves out are not there any more', () => {
    for (const name of ['legacy', 'dual']) {
      progress.event(step(name));
      progress.event(stepJudged(name, name === 'dual' ? 'fail' : 'pass'));
    }
    progress.event(step('back to legacy'));
    expect(statuses()).toEqual(['legacy passed', 'dual failed', 'back to legacy current']);
  });
});
