import { connectCluster } from './cluster-connection.ts';
import type { IamOptions } from './iam.ts';
import { connectSingle } from './single-connection.ts';

export { RedisUnavailableError } from './errors.ts';

/** A command and its arguments, as Redis takes them. */
export type Command = readonly (string | Buffer)[];

/** Hash slots of a cluster, the first and the last one included. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}

/** A server that takes writes: the only one, or one of a cluster's. */
export interface Primary {
  send(command: Command): Promise<unknown>;
  /** The slots that are its own now; all of them where there is no cluster. */
  readonly slots: readonly SlotRange[];
}

export interface RedisConnection {
  /**
   * Sends one command. Commands sent in one tick arrive in order; those of one key, in a cluster.
   * @throws RedisUnavailableError when there is no connection in time, DeadlineError when there is no reply in time:
   * within `waitForConnectionMs + deadlineMs` together. Redis's own errors as they are.
   */
  send(command: Command): Promise<unknown>;
  /**
   * Resolves when commands can be sent, to each primary.
   * @throws RedisUnavailableError after `timeoutMs`, or when no further attempt will be made.
   */
  ready(timeoutMs?: number): Promise<void>;
  /** The primaries known now: one, or those of the cluster, which are none until it has been asked. */
  primaries(): readonly Primary[];
  /** The URL of the server that a command goes to now, with user and password. */
  urlOf(command: Command): string;
  /** The sockets that are open now. */
  readonly connections: number;
  /** After how long `send` rejects at the latest, in milliseconds. */
  readonly longestWaitMs: number;
  /** Whether keys are spread over several primaries. */
  readonly clustered: boolean;
  close(): void;
}

export interface RedisOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database as the scheme has them. */
  readonly url: string;
  /** How the connection is named in CLIENT LIST. */
  readonly name: string;
  /** Cluster mode: the URL names any of its nodes; TLS, user and password are those of all. */
  readonly cluster?: boolean;
  /**
   * Whether a replica is asked as well; without it commands reject while the server is one, since nobody invalidates what
   * it holds. Default: in cluster mode only, where a replica redirects.
   */
  readonly anyRole?: boolean;
  /** ElastiCache IAM: the password is a token, signed for the user of the URL. */
  readonly iam?: IamOptions | undefined;
  /** The only CA to trust, in PEM. Default: those of Node and of NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | undefined;
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
  /** The wall clock, in milliseconds; a gap in it says that the process was frozen. */
  readonly now?: () => number;
  /** Called each time that a new connection to a primary can be used, before any other command travels on it. */
  readonly onReady?: (primary: Primary) => void;
  /** Told of each connection error; the next attempt follows by itself. */
  readonly onError?: (error: Error) => void;
}

/**
 * Connects to a Redis or, with `cluster`, to all primaries of one; at once, and again whenever a connection is lost
 * (after 100 ms, doubling up to 2 s).
 * @throws ConfigurationError for a URL that cannot be served.
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
export function connectRedis(options: RedisOptions): RedisConnection {
  return options.cluster ? connectCluster(options) : connectSingle(options);
}
