import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { createScope } from '../../../lambda/async/scope.ts';
import { gate } from '../../support/gate.ts';

describe('a scope', () => {
  test('is known to what runs inside, across awaits and timers, and to nobody else', async () => {
    const scope = createScope<string>();
    const { held, open } = gate();
    const inside = scope.run('inside', async () => {
      const seen = [scope.current()];
      await held;
      seen.push(scope.current());
      await sleep(1);
      return [...seen, scope.current()];
    });
    expect(scope.current()).toBeUndefined();
    open();
    expect(await inside).toEqual(['inside', 'inside', 'inside']);
    expect(scope.current()).toBeUndefined();
  });

  test('is still known after another one has ended, and after one within', async () => {
    const scope = createScope<string>();
    const { held, open } = gate();
    const outer = scope.run('outer', async () => {
      const inner = await scope.run('inner', async () => scope.current());
      await held;
      return [inner, scope.current()];
    });
    await scope.run('another', async () => {});
    open();
    expect(await outer).toEqual(['inner', 'outer']);
  });

  test('is known again after nobody was inside', async () => {
    const scope = createScope<number>();
    for (let time = 0; time < 3; time += 1) {
      expect(await scope.run(time, async () => scope.current())).toBe(time);
    }
  });

  test('is not known to what outlives its work, though others are inside', async () => {
    const scope = createScope<string>();
    const { held, open } = gate();
    let outliving: Promise<string | undefined> = Promise.resolve('');
    await scope.run('over', async () => {
      outliving = held.then(() => scope.current());
    });
    await scope.run('another', async () => {
      open();
      expect(await outliving).toBeUndefined();
      expect(scope.current()).toBe('another');
    });
  });

  test('is its own: one within another hides neither, and each ends alone', async () => {
    const [one, other] = [createScope<string>(), createScope<string>()];
    const seen = await one.run('one', async () => [
      await other.run('other', async () => [one.current(), other.current()]),
      [one.current(), other.current()],
    ]);
    expect(seen).toEqual([
      ['one', 'other'],
      ['one', undefined],
    ]);
  });

  test('fails as its work does, thrown or rejected', async () => {
    const scope = createScope<string>();
    const failing = (): Promise<never> => {
      throw new Error('thrown');
    };
    await expect(scope.run('inside', failing)).rejects.toThrow('thrown');
    await expect(scope.run('inside', () => Promise.reject(new Error('rejected')))).rejects.toThrow(
      'rejected',
    );
    expect(scope.current()).toBeUndefined();
  });

  test('costs a promise no more when a thousand never end than when one does not', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', NEVER_ENDING]);
    // What each promise of a process carries for each AsyncLocalStorage that is on.
    const hasHooks = Number.parseInt(process.versions.node, 10) < 24;
    expect(JSON.parse(stdout)).toEqual({ carried: hasHooks ? 1 : 0 });
  });

  test('leaves no promise hooks behind when nobody is inside', async () => {
    // In a process of its own: Jest uses an AsyncLocalStorage, too.
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', HOOKS]);
    // From 24 on node follows contexts without hooks.
    const hasHooks = Number.parseInt(process.versions.node, 10) < 24;
    expect(JSON.parse(stdout)).toEqual({ before: false, after: false, afterOneThatStaysOn: hasHooks });
  });
});

const NEVER_ENDING = `
  import { createScope } from './lambda/async/scope.ts';

  for (let scopes = 0; scopes < 1000; scopes += 1) void createScope().run('inside', () => new Promise(() => {}));
  console.log(JSON.stringify({ carried: Object.getOwnPropertySymbols(Promise.resolve())
    .filter((symbol) => symbol.description === 'kResourceStore').length }));
`;

const HOOKS = `
  import { AsyncLocalStorage, executionAsyncResource } from 'node:async_hooks';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { createScope } from './lambda/async/scope.ts';

  // What runs is a promise's own resource only while node follows promises.
  const areFollowed = async () => {
    await sleep(1);
    await undefined;
    return executionAsyncResource() instanceof Promise;
  };
  const main = async () => {
    const before = await areFollowed();
    await createScope().run('inside', areFollowed);
    const after = await areFollowed();
    await new AsyncLocalStorage().run('inside', async () => {});
    console.log(JSON.stringify({ before, after, afterOneThatStaysOn: await areFollowed() }));
  };
  void main();
`;
