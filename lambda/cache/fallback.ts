import { createScope } from '../async/scope.ts';

/** Runs the loads that the cache would have spared the database. */
export interface Fallback {
  /**
   * Runs a load of this key, or joins one that has not begun: so its value is as new as the call. One load a key
   * runs and one is queued, however many ask, and only so many run at once in this process.
   */
  run<T>(key: string, load: () => Promise<T>): Promise<T>;
}

/** Half of the database's connections: a process without its cache must not take all of them. */
const MAX_LOADS = 5;

export function createFallback(maxLoads = MAX_LOADS): Fallback {
  /** Loads that have not begun, by key: safe to join. */
  const queued = new Map<string, Promise<unknown>>();
  /** Loads that run, by key: begun before whoever asks now, so nobody joins them. */
  const running = new Map<string, Promise<unknown>>();
  const waiting: (() => void)[] = [];
  const insideLoad = createScope<true>();
  let loads = 0;

  const begin = async () => {
    if (loads < maxLoads) loads += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const end = () => {
    const next = waiting.shift();
    if (next) next();
    else loads -= 1;
  };

  const runNext = async <T>(key: string, load: () => Promise<T>, own: () => Promise<T>): Promise<T> => {
    await running.get(key)?.catch(() => {});
    await begin();
    queued.delete(key);
    running.set(key, own());
    try {
      return await insideLoad.run(true, load);
    } finally {
      running.delete(key);
      end();
    }
  };

  return {
    run<T>(key: string, load: () => Promise<T>): Promise<T> {
      // Inside another load it uses that one's permit: waiting for one of its own could wait for itself.
      if (insideLoad.current()) return load();
      const joinable = queued.get(key) as Promise<T> | undefined;
      if (joinable) return joinable;
      const own: Promise<T> = runNext(key, load, () => own);
      queued.set(key, own);
      return own;
    },
  };
}
