import { CutoverError } from '../contract/errors.ts';

/** A command had no reply in time. It may have been executed, or be executed later. */
export class DeadlineError extends CutoverError {
  override readonly name = 'DeadlineError';
  readonly code = 'CUTOVER_REDIS_DEADLINE';
}

/** Told how a bounded promise ended, before who waits for it goes on. */
export interface Observer {
  answered?(): void;
  /** Its own error, or that of the deadline. */
  failed(error: unknown): void;
}

/** Settles as `pending` does, or rejects at the deadline; what comes after that is dropped. */
export type Bound = <T>(pending: Promise<T>, observer?: Observer) => Promise<T>;

interface Due {
  readonly at: number;
  /** Undefined when it has ended, so that nothing else outlives it here. */
  fail: ((error: unknown) => void) | undefined;
}

const noReply = (deadlineMs: number): Error => new DeadlineError(`redis: no reply within ${deadlineMs} ms`);

/**
 * Bounds promises with one timer for all of them: they all have the same deadline, so they fall due in order.
 * @param late makes the error of one that is late.
 */
export function createDeadline(deadlineMs: number, late = noReply): Bound {
  /**
   * In the order in which they fall due. No Set, whose tables keep each other alive: with one, what has ended outlived
   * the collection of young garbage, and a hit took a tenth longer.
   */
  let pending: Due[] = [];
  let timer: NodeJS.Timeout | undefined;

  const start = (delayMs: number) => {
    // After the replies that are there already: a busy event loop runs its timers first.
    timer = setTimeout(() => setImmediate(sweep), delayMs);
    // The connection keeps a process running while a reply is due; this has no need to.
    timer.unref();
  };

  const sweep = () => {
    timer = undefined;
    const now = performance.now();
    let over = 0;
    for (const { at, fail } of pending) {
      if (fail && at > now) break;
      over += 1;
      fail?.(late(deadlineMs));
    }
    pending = pending.slice(over);
    const [next] = pending;
    if (next) start(Math.max(1, next.at - now));
  };

  return (promise, observer) =>
    new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        due.fail = undefined;
        observer?.failed(error);
        reject(error);
      };
      const due: Due = { at: performance.now() + deadlineMs, fail };
      pending.push(due);
      if (timer === undefined) start(deadlineMs);
      promise.then(
        (value) => {
          if (!due.fail) return;
          due.fail = undefined;
          observer?.answered?.();
          resolve(value);
        },
        (error: unknown) => due.fail?.(error),
      );
    });
}
