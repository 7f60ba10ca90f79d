import { createCache } from '../../lambda/cache/cache.ts';
import { wireCache } from '../../lambda/outbox/wire-cache.ts';
import { createLogger } from '../../lambda/telemetry/logger.ts';
import type { OpenContender } from './contender.ts';

/** Cutover's runtime as the API wires it: breaker, deadline and claim, in phase `isolated`. */
export const openOurs: OpenContender = async ({ url, load }) => {
  const environment = { REDIS_URL: url, NODE_ENV: 'bench', MIGRATION_MODE: 'true' };
  const { options } = await wireCache(environment, { logger: createLogger('bench') });
  const cache = createCache(options);
  return {
    read: (key) => cache.getOrLoad(key, () => load(key)),
    invalidations: [{ means: 'invalidate', invalidate: (key) => cache.invalidate(key) }],
  };
};
