/** Callers that wait, each for its own time, for one thing to happen. */
export interface Waiters {
  /** Resolves with `resolveAll`; rejects with what `rejectAll` says, or after `timeoutMs` with `late()`. */
  wait(timeoutMs: number, late: () => Error): Promise<void>;
  /** Lets all go on, in the order in which they came. */
  resolveAll(): void;
  rejectAll(error: Error): void;
}

/** Nobody waits yet. A listener for each waiting command would be a leak in node's eyes; these are entries of a set. */
export function createWaiters(): Waiters {
  const waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  const settle = (how: (waiter: { resolve: () => void; reject: (error: Error) => void }) => void) => {
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
        const waiter = {
          resolve: () => {
            clearTimeout(timer);
            resolve();
          },
          reject: (error: Error) => {
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
