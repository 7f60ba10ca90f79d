import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

import { createDeadline, DeadlineError } from '../../../lambda/redis/deadline.ts';

/** Lets time pass, and what became due then happen: the deadline looks for replies first. */
async function pass(ms: number): Promise<void> {
  for (let each = 0; each < ms; each += 1) {
    await jest.advanceTimersByTimeAsync(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
afterEach(() => void jest.useRealTimers());

const never = () => new Promise<never>(() => {});

/** Bounds promises and notes when and how each ends. */
function bounding(deadlineMs: number) {
  const begin = performance.now();
  const bounded = createDeadline(deadlineMs);
  const ends: [name: string, atMs: number, how: unknown][] = [];
  const bound = (name: string, pending: Promise<unknown>) => {
    const end = (how: unknown) => ends.push([name, performance.now() - begin, how]);
    bounded(pending).then(end, (error: Error) => end(error.name));
  };
  return { bound, ends };
}

test('a promise that settles in time settles as it did', async () => {
  const bounded = createDeadline(150);
  const failure = new Error('of its own');
  await expect(bounded(Promise.resolve('value'))).resolves.toBe('value');
  await expect(bounded(Promise.reject(failure))).rejects.toBe(failure);
  expect(await bounded(Promise.resolve(undefined))).toBeUndefined();
});

test('one that does not is rejected at the deadline, and not before', async () => {
  const { bound, ends } = bounding(150);
  bound('late', never());
  await pass(149);
  expect(ends).toEqual([]);
  await pass(1);
  expect(ends).toEqual([['late', 150, 'DeadlineError']]);
});

test('the error says what happened', async () => {
  const late = createDeadline(40)(never());
  const error = late.catch((reason: unknown) => reason);
  await pass(40);
  expect(await error).toBeInstanceOf(DeadlineError);
  expect(await error).toMatchObject({
    code: 'CUTOVER_REDIS_DEADLINE',
    message: 'redis: no reply within 40 ms',
  });
});

test('each has the whole time from its own beginning', async () => {
  const { bound, ends } = bounding(150);
  bound('at 0', never());
  await pass(100);
  bound('at 100', never());
  await pass(40);
  bound('at 140', never());
  await pass(140);
  bound('at 280', never());
  await pass(1000);
  expect(ends).toEqual([
    ['at 0', 150, 'DeadlineError'],
    ['at 100', 250, 'DeadlineError'],
    ['at 140', 290, 'DeadlineError'],
    ['at 280', 430, 'DeadlineError'],
  ]);
});

test('a thousand share one timer', async () => {
  const { bound, ends } = bounding(150);
  for (let index = 0; index < 1000; index += 1) bound(`${index}`, never());
  expect(jest.getTimerCount()).toBe(1);
  await pass(150);
  expect(ends).toHaveLength(1000);
  expect(jest.getTimerCount()).toBe(0);
});

test('those that have settled do not hold up the others', async () => {
  const { bound, ends } = bounding(150);
  bound('quick', Promise.resolve('value'));
  bound('late', never());
  await pass(100);
  bound('later', never());
  bound('quick again', Promise.resolve('value'));
  await pass(1000);
  expect(ends).toEqual([
    ['quick', 0, 'value'],
    ['quick again', 100, 'value'],
    ['late', 150, 'DeadlineError'],
    ['later', 250, 'DeadlineError'],
  ]);
});

test('what comes after the deadline is dropped, and an error then is nobody’s', async () => {
  const { bound, ends } = bounding(150);
  let resolve: (value: string) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const value = new Promise<string>((settle) => {
    resolve = settle;
  });
  const failure = new Promise<never>((_, settle) => {
    reject = settle;
  });
  bound('too late', value);
  bound('failed too late', failure);
  await pass(150);
  resolve('value');
  reject(new Error('unhandled, if nobody listens'));
  await pass(1000);
  expect(ends.map(([name, , how]) => [name, how])).toEqual([
    ['too late', 'DeadlineError'],
    ['failed too late', 'DeadlineError'],
  ]);
});

test('after a pause it works again', async () => {
  const { bound, ends } = bounding(150);
  bound('first', never());
  await pass(10_000);
  bound('second', never());
  await pass(10_000);
  expect(ends).toEqual([
    ['first', 150, 'DeadlineError'],
    ['second', 10_150, 'DeadlineError'],
  ]);
});
