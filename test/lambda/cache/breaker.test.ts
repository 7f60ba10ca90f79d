import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type BreakerState, isBroken, withBreaker } from '../../../lambda/cache/breaker.ts';
import { createCache } from '../../../lambda/cache/cache.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import { gate } from '../../support/gate.ts';
import { KEY, keyspaceOf } from './contract.ts';

const away: Send = () => Promise.reject(new Error('connect ECONNREFUSED'));
const states: BreakerState[] = [];
const onChange = (state: BreakerState) => void states.push(state);

beforeEach(() => {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'setTimeout', 'clearTimeout'],
  });
  states.length = 0;
});
afterEach(() => {
  jest.useRealTimers();
});

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (isBroken(error) ? 'broken' : 'failed'),
  );

async function outcomes(send: Send, times: number): Promise<string[]> {
  const all: string[] = [];
  for (let time = 0; time < times; time += 1) all.push(await reasonOf(send(['GET', 'key'])));
  return all;
}

describe('a Redis that is away', () => {
  test('is asked five times, and then once a second until it answers', async () => {
    const asked = jest.fn(away);
    const send = withBreaker(asked, { onChange });
    expect(await outcomes(send, 8)).toEqual([...Array(5).fill('failed'), 'broken', 'broken', 'broken']);
    expect(asked).toHaveBeenCalledTimes(5);

    jest.advanceTimersByTime(1001);
    expect(await outcomes(send, 3)).toEqual(['failed', 'broken', 'broken']);
    expect(asked).toHaveBeenCalledTimes(6);

    jest.advanceTimersByTime(1001);
    asked.mockResolvedValue('value');
    expect(await outcomes(send, 3)).toEqual(['answered', 'answered', 'answered']);
    expect(states).toEqual(['open', 'closed']);
  });

  test('is tried by one command; the others are refused until it is known how that one ends', async () => {
    const asked = jest.fn(away);
    const send = withBreaker(asked);
    await outcomes(send, 5);
    jest.advanceTimersByTime(1001);
    const { held, open: answer } = gate();
    asked.mockImplementation(() => held.then(() => 'value'));
    const trying = reasonOf(send(['GET', 'key']));
    expect(await outcomes(send, 2)).toEqual(['broken', 'broken']);
    answer();
    expect(await trying).toBe('answered');
    expect(await outcomes(send, 1)).toEqual(['answered']);
    expect(asked).toHaveBeenCalledTimes(7);
  });

  test('is asked for every invalidation, whatever the breaker thinks', async () => {
    const asked = jest.fn(away);
    const cache = createCache({
      keyspace: keyspaceOf('isolated'),
      store: redisStore(withBreaker(asked)),
      invalidates: [redisStore(asked)],
    });
    for (let read = 0; read < 20; read += 1) {
      expect(await cache.resolve(KEY, async () => read)).toEqual({ value: read, outcome: 'bypass' });
    }
    expect(asked).toHaveBeenCalledTimes(5);
    // The breaker's own refusals are no errors.
    expect(cache.getCacheMetrics()).toMatchObject({ bypasses: 20, errors: 5 });
    asked.mockResolvedValue(1);
    expect(await cache.invalidate(KEY)).toBe('done');
  });
});

describe('what Redis answers', () => {
  test.each([
    'WRONGTYPE Operation against a key',
    'NOPERM no permissions',
    'OOM command not allowed',
    'ERR syntax error',
  ])('%s is no failure of Redis', async (message) => {
    const send = withBreaker(() => Promise.reject(new Error(message)));
    expect(await outcomes(send, 12)).toEqual(Array(12).fill('failed'));
  });

  test.each(['LOADING Redis is loading', "READONLY You can't write", 'MASTERDOWN Link with MASTER is down'])(
    '%s is one',
    async (message) => {
      const send = withBreaker(() => Promise.reject(new Error(message)));
      expect((await outcomes(send, 6)).at(-1)).toBe('broken');
    },
  );

  test('a success in between begins the count again', async () => {
    let call = 0;
    const send = withBreaker(() => {
      call += 1;
      return call % 5 === 0 ? Promise.resolve('value') : Promise.reject(new Error('late'));
    });
    expect(await outcomes(send, 20)).not.toContain('broken');
  });
});
