import type { RedisOptions } from './connection.ts';
import { endpointOf } from './endpoint.ts';
import type { IamCredentials } from './iam.ts';
import { RESP_TYPES, RedisClient } from './node-redis.ts';

/** What node-redis is told of a connection. */
export interface ClientOptions
  extends Required<Pick<RedisOptions, 'url' | 'name' | 'binary' | 'connectTimeoutMs'>> {
  readonly ca: string | undefined;
  /** Instead of the password of the URL. */
  readonly credentials: IamCredentials | undefined;
  /** Ends the socket, also while it is being opened: then the library cannot. */
  readonly signal: AbortSignal;
  /** The pause before the next attempt, in milliseconds; false ends them. */
  readonly retry: (retries: number, cause: Error) => number | false;
}

/** A client of node-redis, not yet connected, that queues nothing and bounds nothing but the opening of its socket. */
export function createRedisClient({
  url,
  name,
  binary,
  connectTimeoutMs,
  ca,
  credentials,
  signal,
  retry,
}: ClientOptions) {
  const { protocol, host, pathname } = endpointOf(url);
  const tls = protocol === 'rediss:';
  // Node's own option of a socket, to which the library hands on what it does not know.
  const ending = { signal };
  return new RedisClient({
    // The library prefers the user of a URL to its provider.
    url: credentials ? `${protocol}//${host}${pathname}` : url,
    name,
    ...(credentials && { credentialsProvider: credentials.provider }),
    disableOfflineQueue: true,
    // CLIENT SETINFO is younger than Redis 7.0, and a right more for the user.
    disableClientInfo: true,
    commandOptions: {
      // The library's own timeout costs two thirds of the throughput and does not bound a command that was sent.
      timeout: undefined,
      typeMapping: binary ? { [RESP_TYPES.BLOB_STRING]: Buffer } : {},
    },
    socket: {
      ...ending,
      ...(tls && { tls, ...(ca !== undefined && { ca }) }),
      connectTimeout: connectTimeoutMs,
      reconnectStrategy: retry,
    },
  });
}
