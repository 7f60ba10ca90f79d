import { expect, test } from '@jest/globals';
import { createRunLoader, LoaderTimeoutError } from '../../../lambda/cache/flight.ts';
import { gate } from '../../support/gate.ts';

const never = () => new Promise<never>(() => {});

test('a loader that takes too long is rejected, and its signal is aborted with the same error', async () => {
  const runLoader = createRunLoader(20);
  let seen: AbortSignal | undefined;
  const late = runLoader(({ signal }) => {
    seen = signal;
    return never();
  });
  const error: unknown = await late.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LoaderTimeoutError);
  expect(seen?.reason).toBe(error);
});

test('the signal of a load that ended, well or not, stays as it is while others are late', async () => {
  const runLoader = createRunLoader(20);
  const signals: AbortSignal[] = [];
  await runLoader(async ({ signal }) => void signals.push(signal));
  const failing = runLoader(async ({ signal }) => {
    signals.push(signal);
    throw new Error('of its own');
  });
  await expect(failing).rejects.toThrow('of its own');
  await expect(runLoader(never)).rejects.toThrow(LoaderTimeoutError);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
});

test('a signal that is asked for too late is aborted already', async () => {
  const { held, open } = gate();
  let seen: AbortSignal | undefined;
  const late = createRunLoader(20)(async (context) => {
    await held;
    seen = context.signal;
  });
  await expect(late).rejects.toThrow(LoaderTimeoutError);
  open();
  await new Promise(setImmediate);
  expect(seen?.aborted).toBe(true);
});

test('a loader that throws before it waits rejects', async () => {
  const failing = (): Promise<never> => {
    throw new Error('at once');
  };
  await expect(createRunLoader(1000)(failing)).rejects.toThrow('at once');
});
