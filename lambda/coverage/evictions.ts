import type { Send } from '../cache/redis-store.ts';

/**
 * Whether Redis has evicted keys lately: the marks of lambda/cache/seen.ts are among the first to go, and a write whose mark is gone looks
 * like one that nobody invalidated.
 */
export interface Evictions {
  /** Also true where it is not known: at the first time, of a Redis that has ever evicted. @throws what Redis throws. */
  wereLately(): Promise<boolean>;
}

export function createEvictions(send: Send, lastingMs: number, now = Date.now): Evictions {
  let known = 0;
  let changedAt = Number.NEGATIVE_INFINITY;
  return {
    async wereLately() {
      const evicted = Number(/evicted_keys:(\d+)/.exec(String(await send(['INFO', 'stats'])))?.[1] ?? 0);
      // A restart begins to count anew.
      if (evicted !== known) changedAt = now();
      known = evicted;
      return now() - changedAt < lastingMs;
    },
  };
}
