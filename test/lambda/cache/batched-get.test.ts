import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, jest, test } from '@jest/globals';
import { batchedGet } from '../../../lambda/cache/batched-get.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { gate } from '../../support/gate.ts';

/** The bytes themselves, as a promise. */
const getOf = (send: Send) => {
  const getFor = batchedGet(send);
  return (key: string) =>
    getFor<string | null>(key, {
      found: (bytes) => bytes,
      failed: (error) => Promise.reject(error),
    });
};

const answering = () => {
  const send = jest.fn<Send>(async ([name, ...keys]) =>
    name === 'GET' ? `value of ${keys[0]}` : keys.map((key) => `value of ${key}`),
  );
  return { send, get: getOf(send), sent: () => send.mock.calls.map(([command]) => command) };
};

test('reads of one tick travel in one MGET, each with its own answer', async () => {
  const { get, sent } = answering();
  expect(await Promise.all(['a', 'b', 'a'].map(get))).toEqual(['value of a', 'value of b', 'value of a']);
  expect(sent()).toEqual([['MGET', 'a', 'b', 'a']]);
});

test('many reads of one tick travel in MGETs of 128 keys at the most, and the one that is left in a GET', async () => {
  const { get, sent } = answering();
  const keys = Array.from({ length: 257 }, (_, index) => `${index}`);
  expect(await Promise.all(keys.map(get))).toEqual(keys.map((key) => `value of ${key}`));
  expect(sent().map(([name, ...inOne]) => [name, inOne.length])).toEqual([
    ['MGET', 128],
    ['MGET', 128],
    ['GET', 1],
  ]);
});

test('a read that is alone is a GET', async () => {
  const { get, sent } = answering();
  await get('a');
  await get('b');
  expect(sent()).toEqual([
    ['GET', 'a'],
    ['GET', 'b'],
  ]);
});

test('no read joins a command that was already sent', async () => {
  const { held, open } = gate();
  let stored = 'old';
  const send = jest.fn<Send>(async () => {
    const seen = stored;
    await held;
    return seen;
  });
  const get = getOf(send);
  const before = get('a');
  await new Promise((resolve) => process.nextTick(resolve));
  stored = 'new';
  const after = get('a');
  open();
  expect([await before, await after]).toEqual(['old', 'new']);
  expect(send).toHaveBeenCalledTimes(2);
});

test('an error is that of every read in it, and of no later one', async () => {
  const { get, send } = answering();
  send.mockRejectedValueOnce(new Error('connection lost'));
  const outcomes = await Promise.allSettled([get('a'), get('b')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await get('c')).toBe('value of c');
});

test('a key without the right does not refuse the others of its tick', async () => {
  const { get, send, sent } = answering();
  const refused = new Error('NOPERM this user has no permissions to access one of the keys');
  send.mockRejectedValueOnce(refused).mockResolvedValueOnce('value of a').mockRejectedValueOnce(refused);
  const outcomes = await Promise.allSettled([get('a'), get('b')]);
  expect(outcomes).toEqual([
    { status: 'fulfilled', value: 'value of a' },
    { status: 'rejected', reason: refused },
  ]);
  expect(sent()).toEqual([
    ['MGET', 'a', 'b'],
    ['GET', 'a'],
    ['GET', 'b'],
  ]);
});

test('a reply that does not come is not waited for twice', async () => {
  const { get, send } = answering();
  send.mockRejectedValueOnce(new Error('redis: no reply within 150 ms'));
  await Promise.allSettled([get('a'), get('b')]);
  expect(send).toHaveBeenCalledTimes(1);
});

test('another type than a string is nothing to read, alone as among others', async () => {
  const { get, send } = answering();
  send.mockRejectedValueOnce(new Error('WRONGTYPE Operation against a key holding the wrong kind of value'));
  expect(await get('a')).toBeNull();
});

test('each reader goes on in its own asynchronous context, in a batch as alone', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { send } = answering();
  const getFor = batchedGet(send);
  const reader = { found: () => storage.getStore(), failed: () => storage.getStore() };
  const as = (name: string) => storage.run(name, () => getFor(name, reader));
  expect(await Promise.all(['a', 'b', 'c'].map(as))).toEqual(['a', 'b', 'c']);
  expect(await as('alone')).toBe('alone');
  send.mockRejectedValueOnce(new Error('connection lost'));
  expect(await Promise.all(['a', 'b', 'c'].map(as))).toEqual(['a', 'b', 'c']);
});
