import { AsyncLocalStorage } from 'node:async_hooks';
import { CutoverError } from '../contract/errors.ts';

/** Reads the value from where it is kept; stops when the signal says so. */
export type Loader<T> = (signal: AbortSignal) => Promise<T>;

/** A loader took longer than it may: nothing is stored, and the lease is gone. */
export class LoaderTimeoutError extends CutoverError {
  override readonly name = 'LoaderTimeoutError';
  readonly code = 'CUTOVER_LOADER_TIMEOUT';
}

const insideLoad = new AsyncLocalStorage<true>();

/**
 * Whether the caller runs inside a load. Such a read never joins another load: it could be waiting for the
 * very load that waits for it.
 */
export const isNested = (): boolean => insideLoad.getStore() === true;

/**
 * Runs a loader, at most for `timeoutMs`.
 * @throws LoaderTimeoutError, or what the loader throws.
 */
export async function runLoader<T>(load: Loader<T>, timeoutMs: number): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new LoaderTimeoutError(
        `cache: a loader took longer than ${timeoutMs} ms; make its query faster or raise loaderTimeoutMs`,
      );
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([insideLoad.run(true, () => load(controller.signal)), late]);
  } finally {
    clearTimeout(timer);
  }
}
