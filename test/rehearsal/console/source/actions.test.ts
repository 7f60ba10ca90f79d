import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Actions,
  type ActionsOptions,
  createActions,
} from '../../../../rehearsal/console/source/actions.ts';
import { createJournal, type Journal } from '../../../../rehearsal/console/source/journal.ts';
import { createProgress, type Progress } from '../../../../rehearsal/console/source/progress.ts';
import { createFaults, type Faults } from '../../../../rehearsal/faults.ts';
import type { RolloutControl } from '../../../../rehearsal/rollout/control.ts';

let asked: string[];
let isOver: boolean;
let journal: Journal;
let progress: Progress;
let faults: Faults;
let actions: Actions;

const note = (what: string) => async () => void asked.push(what);

const open = (ports: Partial<ActionsOptions> = {}) =>
  createActions({
    ...{ journal, progress, faults, isOver: () => isOver },
    flush: async () => {
      asked.push('flush');
      return { flushed: 3, preserved: 4 } as Awaited<ReturnType<ActionsOptions['flush']>>;
    },
    switchMirrorOff: note('mirror off'),
    ...ports,
  });
const CONTROL: RolloutControl = {
  pause: () => asked.push('pause'),
  resume: () => asked.push('resume'),
  stop: (reason) => asked.push(`stop: ${reason}`),
};

beforeEach(() => {
  [asked, isOver] = [[], false];
  journal = createJournal();
  progress = createProgress({
    seconds: 9,
    stages: [5],
    users: 1,
    seed: 1,
    mode: 'coherent',
    baselineSeconds: 1,
  });
  faults = createFaults({
    redis: {
      ...{ kill: note('kill'), restart: note('restart') },
      ...{ freeze: () => asked.push('freeze'), thaw: () => {} },
    },
    onEvent: () => {},
    seconds: { 'kill-redis': 0.01, 'freeze-redis': 0.01, 'slow-redis': 0.01 },
  });
  actions = open();
});

const FAULTS = ['kill-redis', 'freeze-redis', 'slow-redis'];

describe('what is there to ask for', () => {
  test('is no control before there is a rollout, as while phases change', async () => {
    expect(actions.available()).toEqual(['flush', ...FAULTS, 'mirror-off']);
    await expect(actions.act('pause')).rejects.toThrow('console: Pause is refused');
    actions.control(CONTROL);
    expect(actions.available()).toEqual(['pause', 'flush', ...FAULTS, 'mirror-off', 'roll-back']);
  });

  test('is to pause, or to resume', async () => {
    actions.control(CONTROL);
    await actions.act('pause');
    expect(actions.available().slice(0, 2)).toEqual(['resume', 'flush']);
    expect(progress.isPaused).toBe(true);
    await expect(actions.act('pause')).rejects.toThrow('console: Pause is refused');
    await actions.act('resume');
    expect(actions.available().slice(0, 2)).toEqual(['pause', 'flush']);
    expect(progress.isPaused).toBe(false);
    expect(asked).toEqual(['pause', 'resume']);
  });

  test('is one fault at a time', async () => {
    await actions.act('freeze-redis');
    expect(actions.available()).toEqual(['flush', 'mirror-off']);
    await expect(actions.act('kill-redis')).rejects.toThrow('another fault is in; wait until it is over');
    await faults.over();
    expect(actions.available()).toEqual(['flush', ...FAULTS, 'mirror-off']);
    expect(asked).toEqual(['freeze']);
  });

  test('is no fault on a Redis that was there before, and the refusal says why', async () => {
    actions = open({ faults: undefined, switchMirrorOff: undefined });
    expect(actions.available()).toEqual(['flush']);
    await expect(actions.act('kill-redis')).rejects.toThrow(
      'console: Kill Redis is refused: REDIS_URL names a server that was there before',
    );
    await expect(actions.act('mirror-off')).rejects.toThrow('console: Switch the mirror off is refused');
  });

  test('is the mirror once, unless it could not be switched off', async () => {
    actions = open({ switchMirrorOff: () => Promise.reject(new Error('did not start')) });
    await expect(actions.act('mirror-off')).rejects.toThrow('did not start');
    expect([actions.available().includes('mirror-off'), actions.isMirrorOff]).toEqual([true, false]);
    actions = open();
    await actions.act('mirror-off');
    expect([actions.available().includes('mirror-off'), actions.isMirrorOff]).toEqual([false, true]);
  });

  test('is nothing when it is over', async () => {
    actions.control(CONTROL);
    isOver = true;
    expect(actions.available()).toEqual([]);
    await expect(actions.act('flush')).rejects.toThrow(
      'console: Flush now is refused: the rehearsal is over',
    );
    expect(asked).toEqual([]);
  });
});

test('the way back is asked for once, and nothing holds it up', async () => {
  actions.control(CONTROL);
  await actions.act('pause');
  await actions.act('roll-back');
  expect(asked).toEqual(['pause', 'stop: somebody asked for it in the console']);
  expect([actions.isGoingBack, progress.isPaused]).toEqual([true, false]);
  expect(actions.available()).toEqual(['flush', ...FAULTS, 'mirror-off']);
});

test('each leaves a mark and says what it did', async () => {
  actions.control(CONTROL);
  expect(await actions.act('flush')).toBe('3 cache entries flushed, 4 keys preserved');
  for (const action of ['pause', 'resume', 'mirror-off', 'roll-back'] as const) await actions.act(action);
  expect(journal.marks.map(({ kind }) => kind)).toEqual(['flush', 'pause', 'pause', 'fault', 'back']);
});
