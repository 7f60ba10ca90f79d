import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields, type Logger } from '../telemetry/logger.ts';

export interface AttemptsOptions {
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Default: 5. */
  readonly attempts?: number;
  /** Between two attempts. Default: 2 s. */
  readonly pauseMs?: number;
}

/**
 * Tries again what fails: a sandbox that has just started may still be connecting to Redis or replaying the outbox to it, and a
 * database that has paused needs some 15 s.
 * @throws what the last attempt has thrown.
 */
export async function persistently<T>(
  attempt: () => Promise<T>,
  { signal, logger, attempts = 5, pauseMs = 2000 }: AttemptsOptions,
): Promise<T> {
  for (let left = attempts - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 0 || signal.aborted) throw error;
      logger.warn('not yet', { attemptsLeft: left, ...errorFields(error) });
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
