import { AsyncLocalStorage } from 'node:async_hooks';

/** What code can know of the work that it runs inside of, however deep. */
export interface Scope<T> {
  /** Runs `work`, and whatever it calls or awaits, inside. Settles as `work` does. */
  run<R>(inside: T, work: () => Promise<R>): Promise<R>;
  /** What the caller runs inside of; undefined outside, and in what outlives its work. */
  current(): T | undefined;
}

/**
 * An AsyncLocalStorage that is on only while somebody is inside: on Node 20 one that was ever used makes each promise of
 * the process 2.7 times as slow, for ever (hits, 500 in flight: 0.93 of raw node-redis instead of 1.29).
 */
export function createScope<T>(): Scope<T> {
  const storage = new AsyncLocalStorage<{ readonly value: T; isOver: boolean }>();
  let inside = 0;
  return {
    current() {
      const entered = inside === 0 ? undefined : storage.getStore();
      // What outlives its work sees it for as long as somebody else is inside.
      return entered?.isOver ? undefined : entered?.value;
    },
    run(value, work) {
      const entered = { value, isOver: false };
      const leave = () => {
        entered.isOver = true;
        inside -= 1;
        if (inside === 0) storage.disable();
      };
      inside += 1;
      try {
        const working = Promise.resolve(storage.run(entered, work));
        working.then(leave, leave);
        return working;
      } catch (error) {
        leave();
        return Promise.reject(error);
      }
    },
  };
}
