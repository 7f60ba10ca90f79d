import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';

const CACHE_MODES = ['redis', 'memory', 'off'] as const;
/** Where a process reads and fills; its writes invalidate Redis in every mode. */
export type CacheMode = (typeof CACHE_MODES)[number];

/** Reads CACHE_MODE: `redis` unless told where REDIS_URL is set, else `memory`. @throws ConfigurationError naming the value and the remedy. */
export function cacheModeOf({ CACHE_MODE: value, REDIS_URL: redisUrl }: Environment): CacheMode {
  if (!value) return redisUrl ? 'redis' : 'memory';
  const mode = CACHE_MODES.find((name) => name === value);
  if (!mode) throw new ConfigurationError(`cache: CACHE_MODE=${value} is none of ${CACHE_MODES.join(', ')}`);
  if (mode === 'redis' && !redisUrl) {
    throw new ConfigurationError('cache: CACHE_MODE=redis needs REDIS_URL; set it, or use CACHE_MODE=memory');
  }
  return mode;
}
