import { CutoverError } from '../../../lambda/contract/errors.ts';
import type { Cached } from './registry.ts';

/** A read, begun after a write was acknowledged as invalidated, returned an older version. */
export class StaleReadError extends CutoverError {
  override readonly name = 'StaleReadError';
  readonly code = 'CUTOVER_MODEL_STALE';
}

export interface Checker {
  /** @returns what to tell of the version that the read returned. */
  readBegins(by: string, cached: Cached): (version: number) => void;
  /** From now on every read of this has to see this version. */
  acknowledged(cached: Cached, version: number): void;
  /** @throws StaleReadError for the first stale read. */
  verify(): void;
}

/** Remembers which version each read has to see at least. */
export function createChecker(): Checker {
  const newest: Record<Cached, number> = { list: 0, view: 0 };
  let stale: StaleReadError | undefined;
  return {
    readBegins(by, cached) {
      const floor = newest[cached];
      return (version) => {
        if (version >= floor) return;
        stale ??= new StaleReadError(
          `model: a read of the ${cached} by ${by} that began after version ${floor} was acknowledged returned ${version}`,
        );
      };
    },
    acknowledged(cached, version) {
      newest[cached] = Math.max(newest[cached], version);
    },
    verify() {
      if (stale) throw stale;
    },
  };
}
