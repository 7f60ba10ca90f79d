import { ConfigurationError } from '../contract/errors.ts';
import type { Send } from './redis-store.ts';

/** Holds the environment name of the processes that use a Redis. */
export const CLAIM = 'cutover:env';

/**
 * Claims a Redis for one environment name. Each process names the same keys in an invalidation only if all
 * use the same name, so the second name on one Redis is refused.
 * @throws ConfigurationError when the Redis is claimed under another name; what `send` throws.
 * @example
 * ```ts
 * import { claimEnvironment, connectRedis } from 'cutover/cache';
 *
 * const redis = connectRedis({ url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'lists' });
 * await redis.ready(5000);
 * await claimEnvironment(redis.send, 'production');
 * await claimEnvironment(redis.send, 'staging'); // throws ConfigurationError
 * redis.close();
 * ```
 */
export async function claimEnvironment(send: Send, env: string): Promise<void> {
  const claimed = await send(['SET', CLAIM, env, 'NX', 'GET']);
  // A client may be told to answer buffers.
  if (claimed === null || String(claimed) === env) return;
  throw new ConfigurationError(
    `cache: NODE_ENV=${env}, but the other processes on this Redis run with ${String(claimed)}, so they would not invalidate each other; use one name, or DEL ${CLAIM} when it is out of date`,
  );
}
