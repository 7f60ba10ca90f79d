import { CutoverError } from '../contract/errors.ts';

/** A command had no reply in time. It may have been executed, or be executed later. */
export class DeadlineError extends CutoverError {
  override readonly name = 'DeadlineError';
  readonly code = 'CUTOVER_REDIS_DEADLINE';
}

/** Bounds promises with one timer for all of them: they all have the same deadline, so they fall due in order. */
export function createDeadline(deadlineMs: number): <T>(pending: Promise<T>) => Promise<T> {
  const due: { at: number; fail: (() => void) | undefined }[] = [];
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
    let first = due[0];
    while (first && (first.fail === undefined || first.at <= now)) {
      first.fail?.();
      due.shift();
      first = due[0];
    }
    if (first) start(Math.max(1, first.at - now));
  };

  return (pending) =>
    new Promise((resolve, reject) => {
      const fail = () => reject(new DeadlineError(`redis: no reply within ${deadlineMs} ms`));
      const entry: (typeof due)[number] = { at: performance.now() + deadlineMs, fail };
      due.push(entry);
      if (timer === undefined) start(deadlineMs);
      const settled = () => {
        entry.fail = undefined;
      };
      pending.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
}
