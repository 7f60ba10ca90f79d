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
 * @throws RedisUnavailableError, ConfigurationError for the URL, and what `flush` throws.
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
    return await flush({ ...options, send: redis.send });
  } finally {
    redis.close();
  }
}
