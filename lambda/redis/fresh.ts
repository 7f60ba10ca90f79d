import type { Command, RedisConnection, RedisOptions } from './connection.ts';
import { endpointOf, urlOfNode } from './endpoint.ts';
import { unavailable } from './errors.ts';
import { ErrorReply } from './node-redis.ts';
import { connectSingle, type SingleConnection } from './single-connection.ts';
import { hostAndPort, redirectionOf } from './topology.ts';
import { createWaiters } from './waiters.ts';

/** Connections that are opened for the occasion, and closed when nothing is in flight on them any more. */
export interface FreshConnections {
  /**
   * Sends over a connection of its own: for what has to be tried although the connection that there is does not answer.
   * Commands to one server share it while one of them is in flight. Rejects as, and within the same time as, `send` of a
   * connection does; also when a process has as many connections as it may have.
   */
  send(command: Command): Promise<unknown>;
  /** The sockets that are open now. */
  readonly connections: number;
}

/** Beside those to the primaries, one of which asks for the topology: ten in all. */
const MAX_BESIDE_PRIMARIES = 9;

interface Shared {
  readonly connection: SingleConnection;
  inFlight: number;
}

/** @param main the connection beside which they are opened: it knows where a key lives. */
export function freshConnections(
  options: RedisOptions,
  main?: Pick<RedisConnection, 'urlOf' | 'primaries'>,
): FreshConnections {
  const { waitForConnectionMs = 100, deadlineMs = 150 } = options;
  const open = new Map<string, Shared>();
  const waiting = createWaiters();
  const isFull = () => open.size >= Math.max(1, MAX_BESIDE_PRIMARIES - (main?.primaries().length ?? 0));

  const connect = (url: string): Shared => {
    const connection = connectSingle({ ...options, url, maxAttempts: 1, onReady: () => {} });
    const shared = { connection, inFlight: 0 };
    open.set(url, shared);
    return shared;
  };

  const sendTo = async (url: string, command: Command, beganAt: number): Promise<unknown> => {
    while (!open.has(url) && isFull()) {
      const leftMs = waitForConnectionMs + deadlineMs - (performance.now() - beganAt);
      await waiting.wait(leftMs, () => unavailable('no connection to spare', undefined));
    }
    const mine = open.get(url) ?? connect(url);
    mine.inFlight += 1;
    try {
      return await mine.connection.sendSince(beganAt, command);
    } finally {
      mine.inFlight -= 1;
      if (mine.inFlight === 0) {
        open.delete(url);
        mine.connection.close();
        waiting.resolveAll();
      }
    }
  };

  return {
    async send(command) {
      const beganAt = performance.now();
      const url = main?.urlOf(command) ?? options.url;
      try {
        return await sendTo(url, command, beganAt);
      } catch (error) {
        const moved = error instanceof ErrorReply ? redirectionOf(error.message) : undefined;
        if (moved?.kind !== 'MOVED') throw error;
        const asked = endpointOf(url);
        return sendTo(urlOfNode(asked, hostAndPort(moved.address, asked.hostname)), command, beganAt);
      }
    },
    get connections() {
      let sum = 0;
      for (const { connection } of open.values()) sum += connection.connections;
      return sum;
    },
  };
}
