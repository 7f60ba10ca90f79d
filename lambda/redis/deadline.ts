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
  readonly reject: (error: Error) => void;
  readonly observer: Observer | undefined;
}

const noReply = (deadlineMs: number): Error => new DeadlineError(`redis: no reply within ${deadlineMs} ms`);

/**
 * Bounds promises with one timer for all of them: they all have the same deadline, so they fall due in order.
 * @param late makes the error of one that is late.
 */
export function createDeadline(deadlineMs: number, late = noReply): Bound {
  /** What has not ended, in the order in which it falls due. */
  const pending = new Set<Due>();
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
    for (const due of pending) {
      if (due.at > now) return start(Math.max(1, due.at - now));
      pending.delete(due);
      const error = late(deadlineMs);
      due.observer?.failed(error);
      due.reject(error);
    }
  };

  return (promise, observer) =>
    new Promise((resolve, reject) => {
      const due: Due = { at: performance.now() + deadlineMs, reject, observer };
      pending.add(due);
      if (timer === undefined) start(deadlineMs);
      promise.then(
        (value) => {
          if (!pending.delete(due)) return;
          observer?.answered?.();
          resolve(value);
        },
        (error: unknown) => {
          if (!pending.delete(due)) return;
          observer?.failed(error);
          reject(error);
        },
      );
    });
}
