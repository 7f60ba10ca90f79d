import { CutoverError } from '../../../lambda/contract/errors.ts';

/** A read, begun after a write was acknowledged as invalidated, returned an older version. */
export class StaleReadError extends CutoverError {
  override readonly name = 'StaleReadError';
  readonly code = 'CUTOVER_MODEL_STALE';
}

export interface Checker {
  /** @returns what to tell of the version that the read returned. */
  readBegins(by: string): (version: number) => void;
  acknowledged(version: number): void;
  /** @throws StaleReadError for the first stale read. */
  verify(): void;
}

/** Remembers which version each read has to see at least. */
export function createChecker(): Checker {
  let newest = 0;
  let stale: StaleReadError | undefined;
  return {
    readBegins(by) {
      const floor = newest;
      return (version) => {
        if (version >= floor) return;
        stale ??= new StaleReadError(
          `model: a read by ${by} that began after version ${floor} was acknowledged returned ${version}`,
        );
      };
    },
    acknowledged(version) {
      newest = Math.max(newest, version);
    },
    verify() {
      if (stale) throw stale;
    },
  };
}
