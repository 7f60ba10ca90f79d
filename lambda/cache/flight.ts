import { CutoverError } from '../contract/errors.ts';
import { type Bound, createDeadline, type Observer } from '../redis/deadline.ts';
import type { Budget } from './budget.ts';

/** What a loader is given. */
export interface LoadContext {
  /** Aborted when the load takes too long. Made when it is asked for: most loaders do not, and it is dear. */
  readonly signal: AbortSignal;
}

/** Reads the value from where it is kept; stops when the signal says so. */
export type Loader<T> = (context: LoadContext) => Promise<T>;

/** A loader took longer than it may: nothing is stored, and the lease is gone. */
export class LoaderTimeoutError extends CutoverError {
  override readonly name = 'LoaderTimeoutError';
  readonly code = 'CUTOVER_LOADER_TIMEOUT';
}

/**
 * Runs a loader. @throws LoaderTimeoutError, or what the loader throws.
 * @param budget of the read that loads: the load's time is not in it.
 */
export type RunLoader = <T>(load: Loader<T>, budget?: Budget) => Promise<T>;

/** Runs loaders, each at most for `timeoutMs`, with one timer for all of them. */
export function createRunLoader(timeoutMs: number): RunLoader {
  const bounded: Bound = createDeadline(timeoutMs, tooLate);
  return (load, budget) => {
    const context = new Loading(budget);
    return bounded(begin(load, context), context);
  };
}

/** A load that runs: its context, and who learns that it is late. */
class Loading implements LoadContext, Observer {
  #controller: AbortController | undefined;
  #late: LoaderTimeoutError | undefined;
  readonly #beganAt = performance.now();
  readonly #budget: Budget | undefined;

  constructor(budget: Budget | undefined) {
    this.#budget = budget;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#late) this.#controller.abort(this.#late);
    return this.#controller.signal;
  }

  answered(): void {
    this.#budget?.exclude(performance.now() - this.#beganAt);
  }

  failed(error: unknown): void {
    if (!(error instanceof LoaderTimeoutError)) return;
    this.#late = error;
    this.#controller?.abort(error);
  }
}

/** A loader that throws before it waits rejects as any other. */
function begin<T>(load: Loader<T>, context: LoadContext): Promise<T> {
  try {
    return Promise.resolve(load(context));
  } catch (error) {
    return Promise.reject(error);
  }
}

const tooLate = (timeoutMs: number): Error =>
  new LoaderTimeoutError(
    `cache: a loader took longer than ${timeoutMs} ms; make its query faster or raise loaderTimeoutMs`,
  );
