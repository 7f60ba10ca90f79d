import { beforeEach, describe, expect, test } from '@jest/globals';
import { createFaults, type FaultEvent, type Faults } from '../../rehearsal/faults.ts';

const NAMES = ['kill-redis', 'freeze-redis', 'slow-redis'] as const;
const SECONDS = { 'kill-redis': 0.05, 'freeze-redis': 0.05, 'slow-redis': 0.12 };

let done: string[];
let faults: Faults;

const note = (what: string) => () => void done.push(what);
const isThere = async (what: string) => void done.push(what);

const redis = {
  kill: () => isThere('kill'),
  restart: () => isThere('restart'),
  freeze: note('freeze'),
  thaw: note('thaw'),
};

beforeEach(() => {
  done = [];
  faults = createFaults({
    redis,
    onEvent: ({ kind, name }: FaultEvent) => done.push(`${kind}: ${name}`),
    seconds: SECONDS,
  });
});

test.each(NAMES)('%s ends with a Redis that is there and runs, and both is told', async (name) => {
  await faults.inject(name);
  expect(faults.current).toMatchObject({ name });
  await faults.over();
  expect(faults.current).toBeUndefined();
  expect([done[0], done.at(-2), done.at(-1)]).toEqual([`fault: ${name}`, 'thaw', `fault over: ${name}`]);
  const count = (what: string) => done.filter((each) => each === what).length;
  expect([count('kill'), count('restart')]).toEqual(name === 'kill-redis' ? [1, 1] : [0, 0]);
});

test('slow is many freezes, each of which ends', async () => {
  await faults.inject('slow-redis');
  await faults.over();
  const turns = done.filter((what) => what === 'freeze' || what === 'thaw');
  expect(turns.filter((what) => what === 'freeze').length).toBeGreaterThan(1);
  turns.pop();
  expect(turns.every((what, index) => what === (index % 2 === 0 ? 'freeze' : 'thaw'))).toBe(true);
});

test('there is one at a time', async () => {
  await faults.inject('freeze-redis');
  await expect(faults.inject('kill-redis')).rejects.toThrow(
    'faults: kill-redis is refused while freeze-redis is in; wait until it is over',
  );
  await faults.over();
  expect(done).not.toContain('kill');
  await faults.inject('kill-redis');
  await faults.over();
});

describe('apart', () => {
  test('work waits until the fault is over', async () => {
    await faults.inject('freeze-redis');
    await faults.apart(() => isThere('work'));
    expect(done).toEqual(['fault: freeze-redis', 'freeze', 'thaw', 'fault over: freeze-redis', 'work']);
  });

  test('a fault waits until work is done, and no other work begins meanwhile', async () => {
    let finish = () => {};
    const working = faults.apart(async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      done.push('work');
    });
    const injected = faults.inject('freeze-redis');
    const later = faults.apart(() => isThere('later'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual([]);
    finish();
    await Promise.all([working, injected, later]);
    expect(done).toEqual([
      'work',
      'fault: freeze-redis',
      'freeze',
      'thaw',
      'fault over: freeze-redis',
      'later',
    ]);
  });

  test('work that fails holds up nothing', async () => {
    await expect(faults.apart(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await faults.inject('freeze-redis');
    await faults.over();
  });
});

test('closing ends the fault at once, with a Redis that runs', async () => {
  faults = createFaults({
    redis,
    onEvent: () => {},
    seconds: { ...SECONDS, 'freeze-redis': 3600 },
  });
  await faults.inject('freeze-redis');
  faults.close();
  await expect(faults.over()).rejects.toThrow('aborted');
  expect(done).toEqual(['freeze', 'thaw']);
});
