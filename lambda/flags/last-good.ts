import { LRUCache } from 'lru-cache';
import type { Answer, Cache, ReadOptions } from '../cache/cache.ts';
import { ProblemError } from '../contract/problem.ts';

/** Where an answer came from: `stale` is the last that this process has seen, because nobody else answers. */
export type FlagOutcome = Answer<unknown>['outcome'] | 'stale';

export interface FlagAnswer<T> {
  readonly value: T;
  readonly outcome: FlagOutcome;
}

/** What the cache is told of a read. */
export type LookOptions<T> = Pick<ReadOptions<T>, 'negativeTtlSeconds' | 'validate'>;

/** Reads through the cache, and remembers what it has read for when neither Redis nor PostgreSQL answers. */
export type Resolve = <T>(
  key: string,
  load: () => Promise<T>,
  options: LookOptions<T>,
) => Promise<FlagAnswer<T>>;

/** The set, and so many flags and overrides: some 10 MB at 1 KB each. */
const MAX_REMEMBERED = 10_000;

export interface LastGoodOptions {
  readonly cache: Pick<Cache, 'resolve'>;
  /** Told of each error that an older answer stood in for. */
  readonly onError: (error: unknown) => void;
}

/** What is answered for what nobody can tell now. */
export const unreadable = (): ProblemError =>
  new ProblemError(503, 'the flags cannot be read now; ask again in a few seconds');

/** @returns a read that throws ProblemError 503 for what it has never seen: unknown is not false. */
export function rememberLastGood({ cache, onError }: LastGoodOptions): Resolve {
  const remembered = new LRUCache<string, { readonly value: unknown }>({ max: MAX_REMEMBERED });
  return async <T>(key: string, load: () => Promise<T>, options: LookOptions<T>) => {
    try {
      const answer = await cache.resolve(key, load, options);
      remembered.set(key, { value: answer.value });
      return answer;
    } catch (error) {
      onError(error);
      const last = remembered.get(key);
      if (last) return { value: last.value as T, outcome: 'stale' };
      throw unreadable();
    }
  };
}
