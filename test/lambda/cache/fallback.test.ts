import { describe, expect, jest, test } from '@jest/globals';
import { createFallback } from '../../../lambda/cache/fallback.ts';
import { createRunLoader } from '../../../lambda/cache/flight.ts';
import { gate } from '../../support/gate.ts';

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('loads of one key', () => {
  test('one runs and one is queued, however many ask', async () => {
    const { run } = createFallback();
    const { held, open } = gate();
    const load = jest.fn(async () => {
      await held;
      return load.mock.calls.length;
    });
    const first = run('key', load);
    await soon();
    const others = Array.from({ length: 100 }, () => run('key', load));
    open();
    expect(await first).toBe(1);
    expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('a caller never gets what was loaded before it asked', async () => {
    const { run } = createFallback();
    const { held, open } = gate();
    let row = 'old';
    const before = run('key', async () => {
      const seen = row;
      await held;
      return seen;
    });
    await soon();
    row = 'new';
    const after = run('key', async () => row);
    open();
    expect([await before, await after]).toEqual(['old', 'new']);
  });

  test('one that fails does not hold up the next', async () => {
    const { run } = createFallback();
    await expect(run('key', () => Promise.reject(new Error('database')))).rejects.toThrow('database');
    expect(await run('key', async () => 'value')).toBe('value');
  });
});

describe('loads of many keys', () => {
  test('run five at a time, and all of them in the end', async () => {
    const { run } = createFallback();
    let [atOnce, most] = [0, 0];
    const load = async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await soon();
      atOnce -= 1;
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => run(`key ${index}`, load)));
    expect([most, atOnce]).toEqual([5, 0]);
  });

  test('a load inside a load uses its permit: nested ones do not wait for each other', async () => {
    const { run } = createFallback(1);
    const runLoader = createRunLoader(1000);
    const outer = () => runLoader(() => run('inner', async () => 'inner'));
    expect(await Promise.all([run('a', outer), run('b', outer)])).toEqual(['inner', 'inner']);
  });
});
