import { CLAIM } from '../cache/claim.ts';
import type { Send } from '../cache/redis-store.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { connectRedis } from '../redis/connection.ts';
import { type FlushOptions, type FlushReport, flush } from './engine.ts';

/** A connect timeout and a deadline for a tool, which can wait longer than a request (R6). */
const CONNECT_TIMEOUT_MS = 10_000;
const COMMAND_DEADLINE_MS = 10_000;
const CONNECT_ATTEMPTS = 3;
/** Above all attempts together, so that what is reported is why they failed. */
const READY_WITHIN_MS = 35_000;

/**
 * Flushes over a connection of its own, which is closed at the end.
 * @throws RedisUnavailableError; ConfigurationError for the URL, or when the Redis is in use under another NODE_ENV;
 * what `flush` throws.
 */
export async function flushAt(url: string, options: Omit<FlushOptions, 'send'>): Promise<FlushReport> {
  const redis = connectRedis({
    url,
    name: 'cutover-flush',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    deadlineMs: COMMAND_DEADLINE_MS,
    maxAttempts: CONNECT_ATTEMPTS,
    binary: true,
  });
  try {
    await redis.ready(READY_WITHIN_MS);
    await requireSameEnvironment(redis.send, options.plan.env);
    return await flush({ ...options, send: redis.send });
  } finally {
    redis.close();
  }
}

/** Under another name the flush would leave the keys of `cw:{env}:` where they are. */
async function requireSameEnvironment(send: Send, env: string): Promise<void> {
  const claimed = await send(['GET', CLAIM]);
  if (claimed === null || String(claimed) === env) return;
  throw new ConfigurationError(
    `flush: NODE_ENV=${env}, but this Redis is in use under ${String(claimed)}; set NODE_ENV=${String(claimed)}, or DEL ${CLAIM} when it is out of date`,
  );
}
