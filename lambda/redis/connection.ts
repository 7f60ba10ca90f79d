import { createClient, RESP_TYPES } from '@redis/client';
import { ConfigurationError, CutoverError } from '../contract/errors.ts';
import { createDeadline, DeadlineError } from './deadline.ts';

/** Redis cannot be asked now: not connected, and not within the time that a command may wait. */
export class RedisUnavailableError extends CutoverError {
  override readonly name = 'RedisUnavailableError';
  readonly code = 'CUTOVER_REDIS_UNAVAILABLE';
}

export interface RedisConnection {
  /** Sends one command. Commands sent in one tick arrive in order. Rejects within the wait and the deadline. */
  send(command: readonly (string | Buffer)[]): Promise<unknown>;
  /**
   * Resolves when commands can be sent.
   * @throws RedisUnavailableError after `timeoutMs`, or when no further attempt will be made.
   */
  ready(timeoutMs?: number): Promise<void>;
  close(): void;
}

export interface RedisOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database as the scheme has them. */
  readonly url: string;
  /** How the connection is named in CLIENT LIST. */
  readonly name: string;
  /** How long a connection may take to open, and after that its handshake. */
  readonly connectTimeoutMs?: number;
  /** How long a command may wait for a connection that is being opened. */
  readonly waitForConnectionMs?: number;
  /** How long a reply may take. It bounds a command that was already sent, too. */
  readonly deadlineMs?: number;
  /** Answers buffers instead of strings, for keys that are no text. */
  readonly binary?: boolean;
  /** How many attempts in a row may fail before the connection is given up. Default: any number. */
  readonly maxAttempts?: number;
  /** Called each time that commands can be sent, the first time and after each reconnection. */
  readonly onReady?: () => void;
  /** Told of each connection error; the next attempt follows by itself. */
  readonly onError?: (error: Error) => void;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2000;
/** No reply for so long: the server is frozen, or the peer is gone and TCP does not know yet. */
const MAX_SILENCE_MS = 1000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to Redis, opened at once and again whenever it is lost (after 100 ms, doubling up to 2 s).
 * @throws ConfigurationError for a URL that is not one of Redis.
 * @example
 * ```ts
 * import { connectRedis } from 'cutover/cache';
 *
 * const redis = connectRedis({ url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'lists' });
 * await redis.ready(5000);
 * await redis.send(['SET', 'greeting', 'hello']); // => 'OK'
 * await redis.send(['GET', 'greeting']); // => 'hello'
 * redis.close();
 * await redis.send(['GET', 'greeting']); // throws RedisUnavailableError
 * ```
 */
export function connectRedis({
  url,
  name,
  connectTimeoutMs = 2000,
  waitForConnectionMs = 100,
  deadlineMs = 150,
  binary = false,
  maxAttempts = Number.POSITIVE_INFINITY,
  onReady = () => {},
  onError = () => {},
}: RedisOptions): RedisConnection {
  requireRedisUrl(url);
  const bounded = createDeadline(deadlineMs);
  const waiting = new Set<Waiter>();
  let attempts = 0;
  /** When the first reply was missed since the last one that came. */
  let silentSince: number | undefined;
  let lastError: Error | undefined;
  let ended = false;
  let opening = false;

  const settle = (how: (waiter: Waiter) => void) => {
    for (const waiter of waiting) how(waiter);
    waiting.clear();
  };
  const giveUp = (error: Error) => {
    ended = true;
    settle(({ reject }) => reject(unavailable('no connection', error)));
  };

  const open = () => {
    /** While a socket is being opened the library cannot be told to drop it. */
    opening = true;
    const client = createClient({
      url,
      name,
      disableOfflineQueue: true,
      // The library's own timeout costs two thirds of the throughput and does not bound a command that was sent.
      commandOptions: {
        timeout: undefined,
        typeMapping: binary ? { [RESP_TYPES.BLOB_STRING]: Buffer } : {},
      },
      socket: {
        connectTimeout: connectTimeoutMs,
        reconnectStrategy: (retries, cause) => {
          attempts += 1;
          opening = false;
          if (!ended && attempts < maxAttempts)
            return Math.min(FIRST_RETRY_MS * 2 ** retries, LONGEST_RETRY_MS);
          if (!ended) giveUp(cause);
          return false;
        },
      },
    });
    let handshake: NodeJS.Timeout | undefined;
    client.on('reconnecting', () => {
      opening = true;
    });
    client.on('connect', () => {
      opening = false;
      if (ended) return client.destroy();
      // The library bounds the opening only: a server that accepts and is silent would hold it for ever.
      handshake = setTimeout(
        () => replace(new Error(`no handshake within ${connectTimeoutMs} ms`)),
        connectTimeoutMs,
      );
      handshake.unref();
    });
    client.on('ready', () => {
      clearTimeout(handshake);
      attempts = 0;
      settle(({ resolve }) => resolve());
      onReady();
    });
    client.on('error', (error: Error) => {
      clearTimeout(handshake);
      lastError = error;
      if (!ended) onError(error);
    });
    // Rejects when it is given up or replaced, and both are known already.
    client.connect().catch(() => {});
    return client;
  };

  const replace = (error: Error) => {
    if (ended) return;
    const silent = current;
    lastError = error;
    attempts += 1;
    onError(error);
    if (attempts >= maxAttempts) giveUp(error);
    else current = open();
    silent.destroy();
  };

  let current: ReturnType<typeof open>;
  current = open();

  /** Leaves a connection that is silent: it would keep each command until TCP gives up, which takes minutes. */
  const judged = async (reply: Promise<unknown>): Promise<unknown> => {
    const asked = current;
    try {
      const answer = await reply;
      silentSince = undefined;
      return answer;
    } catch (error) {
      const missed = error instanceof DeadlineError && asked === current;
      silentSince = missed ? (silentSince ?? performance.now()) : undefined;
      if (missed && performance.now() - (silentSince ?? 0) >= MAX_SILENCE_MS) {
        silentSince = undefined;
        replace(error);
      }
      throw error;
    }
  };

  const ready = (timeoutMs = waitForConnectionMs) =>
    new Promise<void>((resolve, reject) => {
      if (current.isReady) return resolve();
      if (ended) return reject(unavailable('no connection', lastError));
      const timer = setTimeout(() => {
        waiting.delete(waiter);
        reject(unavailable(`no connection within ${timeoutMs} ms`, lastError));
      }, timeoutMs);
      const waiter: Waiter = {
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      waiting.add(waiter);
    });

  return {
    async send(command) {
      if (!current.isReady) await ready();
      return judged(bounded(current.sendCommand([...command])));
    },
    ready,
    close() {
      if (!ended) giveUp(new Error('closed'));
      if (current.isOpen && !opening) current.destroy();
    },
  };
}

function requireRedisUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed && ['redis:', 'rediss:'].includes(parsed.protocol) && isDecodable(parsed)) return;
  // Without what may be a password.
  const shown = url.replace(/\/\/.*@/, '//***@').slice(0, 80);
  throw new ConfigurationError(
    `redis: REDIS_URL=${shown} is not a redis:// or rediss:// URL; write redis://host:6379, user and password %-encoded`,
  );
}

function isDecodable({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}

function unavailable(what: string, cause: Error | undefined): RedisUnavailableError {
  const why = cause && `: ${cause.message || cause.name}`;
  return new RedisUnavailableError(`redis: ${what}${why ?? ''}`, { cause });
}
