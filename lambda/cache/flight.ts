import { createScope } from '../async/scope.ts';
import { CutoverError } from '../contract/errors.ts';
import { type Bound, createDeadline } from '../redis/deadline.ts';

/** Reads the value from where it is kept; stops when the signal says so. */
export type Loader<T> = (signal: AbortSignal) => Promise<T>;

/** A loader took longer than it may: nothing is stored, and the lease is gone. */
export class LoaderTimeoutError extends CutoverError {
  override readonly name = 'LoaderTimeoutError';
  readonly code = 'CUTOVER_LOADER_TIMEOUT';
}

const insideLoad = createScope<true>();

/**
 * Whether the caller runs inside a load. Such a read never joins another load: it could be waiting for the
 * very load that waits for it.
 */
export const isNested = (): boolean => insideLoad.current() === true;

/** Runs a loader. @throws LoaderTimeoutError, or what the loader throws. */
export type RunLoader = <T>(load: Loader<T>) => Promise<T>;

/** Runs loaders, each at most for `timeoutMs`, with one timer for all of them. */
export function createRunLoader(timeoutMs: number): RunLoader {
  const bounded: Bound = createDeadline(timeoutMs, tooLate);
  return (load) => {
    const controller = new AbortController();
    const loading = insideLoad.run(true, async () => load(controller.signal));
    return bounded(loading, {
      failed(error) {
        if (error instanceof LoaderTimeoutError) controller.abort(error);
      },
    });
  };
}

const tooLate = (timeoutMs: number): Error =>
  new LoaderTimeoutError(
    `cache: a loader took longer than ${timeoutMs} ms; make its query faster or raise loaderTimeoutMs`,
  );
