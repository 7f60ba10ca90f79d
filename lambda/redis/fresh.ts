import { type Command, connectRedis, type RedisOptions } from './connection.ts';

/**
 * Sends over a connection that is opened for the occasion, and closed when nothing is in flight on it any more: for what has
 * to be tried although the connection that there is does not answer. Whoever sends meanwhile shares it.
 * @returns as `send` of a connection; rejects within the same time.
 */
export function sendFresh(options: RedisOptions): (command: Command) => Promise<unknown> {
  let current: { readonly connection: ReturnType<typeof connectRedis>; inFlight: number } | undefined;
  return async (command) => {
    current ??= { connection: connectRedis({ ...options, maxAttempts: 1, onReady: () => {} }), inFlight: 0 };
    const mine = current;
    mine.inFlight += 1;
    try {
      return await mine.connection.send(command);
    } finally {
      mine.inFlight -= 1;
      if (mine.inFlight === 0) {
        if (current === mine) current = undefined;
        mine.connection.close();
      }
    }
  };
}
