/** Callers that wait, each for its own time, for one thing to happen. */
export interface Waiters {
  /** Resolves with `resolveAll`; rejects with what `rejectAll` says, or after `timeoutMs` with `late()`. */
  wait(timeoutMs: number, late: () => Error): Promise<void>;
  /** Lets all go on, in the order in which they came. */
  resolveAll(): void;
  rejectAll(error: Error): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Nobody waits yet. A listener for each waiting command would be a leak in node's eyes; these are entries of a set. */
export function createWaiters(): Waiters {
  const waiting = new Set<Waiter>();
  const settle = (how: (waiter: Waiter) => void) => {
    for (const waiter of waiting) how(waiter);
    waiting.clear();
  };
  return {
    wait: (timeoutMs, late) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(waiter);
          reject(late());
        }, timeoutMs);
        const waiter: Waiter = {
          resolve: () => {
            clearTimeout(timer);
            resolve();
          },
          reject: (error) => {
            clearTimeout(timer);
            reject(error);
          },
        };
        waiting.add(waiter);
      }),
    resolveAll: () => settle(({ resolve }) => resolve()),
    rejectAll: (error) => settle(({ reject }) => reject(error)),
  };
}
