import { setTimeout as sleep } from 'node:timers/promises';
import { readList } from '../lambda/collections/repository.ts';
import { PHASE_SWITCHES } from '../lambda/contract/environment.ts';
import type { Database } from '../lambda/database/pool.ts';
import { openCache } from '../lambda/outbox/open-cache.ts';
import type { Population } from './population.ts';
import type { Random } from './random.ts';

/** Reads in phase `dual`, and how many of them only the un-prefixed key could answer. */
export interface Fallbacks {
  readonly reads: number;
  readonly fallbacks: number;
}

export interface FallbackWatch {
  /** Since the last call. */
  take(): Fallbacks;
  stop(): Promise<void>;
}

export interface FallbackWatchOptions {
  readonly redisUrl: string;
  readonly database: Database;
  readonly env: string;
  readonly population: Population;
  readonly random: Random;
  /** Told of each as it is seen. */
  readonly onFallback?: (count: number) => void;
}

const INTERVAL_MS = 10;

/**
 * One more process in `dual`, as far as Redis can tell: it reads what the users read, 100 times a second at most, and its counters can be asked
 * at any moment, where those of the backend are written each 10 s.
 */
export async function watchFallbacks(options: FallbackWatchOptions): Promise<FallbackWatch> {
  const { redisUrl, database, env, population, random, onFallback = () => {} } = options;
  const environment = { NODE_ENV: env, REDIS_URL: redisUrl, ...PHASE_SWITCHES.dual };
  const { cache, close } = await openCache(environment, { database, service: 'cutover-rehearsal' });
  let stopped = false;
  let taken: Fallbacks = { reads: 0, fallbacks: 0 };
  const counted = (): Fallbacks => {
    const { hits, misses, legacyFallbacks } = cache.getCacheMetrics();
    return { reads: hits + misses, fallbacks: legacyFallbacks };
  };
  const run = async () => {
    while (!stopped) {
      const { key, owner } = population.next(random);
      const before = counted().fallbacks;
      // What fails for the users is told by them.
      await cache.getOrLoad(key, () => readList(database, owner)).catch(() => {});
      const seen = counted().fallbacks - before;
      if (seen > 0) onFallback(seen);
      await sleep(INTERVAL_MS);
    }
  };
  const running = run();
  return {
    take() {
      const before = taken;
      taken = counted();
      return { reads: taken.reads - before.reads, fallbacks: taken.fallbacks - before.fallbacks };
    },
    async stop() {
      stopped = true;
      await running;
      close();
    },
  };
}
