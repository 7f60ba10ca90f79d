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

/** Who waits, in a ring in which they fall due in order. */
interface Due {
  readonly at: number;
  readonly fail: (error: unknown) => void;
  before: Due;
  after: Due;
}

const noReply = (deadlineMs: number): Error => new DeadlineError(`redis: no reply within ${deadlineMs} ms`);

/**
 * Bounds promises with one timer for all of them: they all have the same deadline, so they fall due in order.
 * @param late makes the error of one that is late.
 */
export function createDeadline(deadlineMs: number, late = noReply): Bound {
  // Whoever has ended leaves at once: what waits for its turn outlives the collection of young garbage, and with an array
  // of five seconds of loads a miss took a sixth longer.
  const ring = createRing();
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
    while (ring.after !== ring && ring.after.at <= now) ring.after.fail(late(deadlineMs));
    if (ring.after !== ring) start(Math.max(1, ring.after.at - now));
  };

  return (promise, observer) =>
    new Promise((resolve, reject) => {
      let pending = true;
      const fail = (error: unknown) => {
        if (!pending) return;
        pending = false;
        leave(due);
        observer?.failed(error);
        reject(error);
      };
      const due: Due = { at: performance.now() + deadlineMs, fail, before: ring.before, after: ring };
      ring.before.after = due;
      ring.before = due;
      if (timer === undefined) start(deadlineMs);
      promise.then((value) => {
        if (!pending) return;
        pending = false;
        leave(due);
        observer?.answered?.();
        resolve(value);
      }, fail);
    });
}

function createRing(): Due {
  const ring = { at: Number.POSITIVE_INFINITY, fail() {} } as unknown as Due;
  ring.before = ring;
  ring.after = ring;
  return ring;
}

function leave(due: Due): void {
  due.before.after = due.after;
  due.after.before = due.before;
  // Else it would keep its neighbours alive.
  due.before = due;
  due.after = due;
}
