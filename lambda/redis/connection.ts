import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { ConfigurationError, CutoverError } from '../contract/errors.ts';
import { createDeadline } from './deadline.ts';

/** Redis cannot be asked now: not connected, and not within the time that a command may wait. */
export class RedisUnavailableError extends CutoverError {
  override readonly name = 'RedisUnavailableError';
  readonly code = 'CUTOVER_REDIS_UNAVAILABLE';
}

export interface RedisConnection {
  /** Sends one command. Commands sent in one tick arrive in order. Rejects within the deadline. */
  send(command: readonly (string | Buffer)[]): Promise<unknown>;
  /** Resolves when commands can be sent, rejects after `timeoutMs`. */
  ready(timeoutMs?: number): Promise<void>;
  close(): void;
}

export interface RedisOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database as the scheme has them. */
  readonly url: string;
  /** How the connection is named in CLIENT LIST. */
  readonly name: string;
  /** How long a TCP or TLS connection may take to open. */
  readonly connectTimeoutMs?: number;
  /** How long a command may wait for a connection that is being opened. */
  readonly waitForConnectionMs?: number;
  /** How long a reply may take. It bounds a command that was already sent, too. */
  readonly deadlineMs?: number;
  /** How often to try before the first connection is given up. Default: for ever. */
  readonly maxAttempts?: number;
  /** Told of each connection error; node-redis reconnects by itself. */
  readonly onError?: (error: Error) => void;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2000;

/**
 * One connection to Redis, opened at once and again whenever it is lost (after 100 ms, doubling up to 2 s).
 * @throws ConfigurationError for a URL that is not one of Redis.
 */
export function connectRedis({
  url,
  name,
  connectTimeoutMs = 2000,
  waitForConnectionMs = 100,
  deadlineMs = 150,
  maxAttempts = Number.POSITIVE_INFINITY,
  onError = () => {},
}: RedisOptions): RedisConnection {
  const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: '' };
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new ConfigurationError(
      'redis: REDIS_URL is not a redis:// or rediss:// URL; write redis://host:6379',
    );
  }
  const client = createClient({
    url,
    name,
    disableOfflineQueue: true,
    // The library's own timeout costs two thirds of the throughput and does not bound a command that was sent.
    commandOptions: { timeout: undefined },
    socket: {
      connectTimeout: connectTimeoutMs,
      reconnectStrategy: (retries, cause) =>
        retries + 1 < maxAttempts ? Math.min(FIRST_RETRY_MS * 2 ** retries, LONGEST_RETRY_MS) : cause,
    },
  });
  client.on('error', onError);
  // Every command that waits for the connection listens for it.
  client.setMaxListeners(0);
  const bounded = createDeadline(deadlineMs);
  // Rejects only when it gives up; each failed attempt arrives as an error event.
  const opened = client.connect();
  opened.catch(() => {});

  const ready = async (timeoutMs = waitForConnectionMs): Promise<void> => {
    if (client.isReady) return;
    const waiting = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: waiting.signal }).then(() => {
      throw new Error(`not within ${timeoutMs} ms`);
    });
    try {
      await Promise.race([once(client, 'ready', { signal: waiting.signal }), late, opened.then(() => late)]);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message || cause.name : String(cause);
      throw new RedisUnavailableError(`redis: no connection: ${why}`, { cause });
    } finally {
      waiting.abort();
    }
  };

  return {
    async send(command) {
      if (!client.isReady) await ready();
      return bounded(client.sendCommand([...command]));
    },
    ready,
    close() {
      if (client.isOpen) client.destroy();
    },
  };
}
