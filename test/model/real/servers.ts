import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { connectRedis, type RedisConnection } from '../../../lambda/redis/connection.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';
import { CREATE_ROWS } from './database.ts';
import { createLegacyClient, type LegacyClient } from './legacy-client.ts';

/** The real Redis and PostgreSQL of a test file. */
export interface Servers {
  readonly database: pg.Client;
  readonly legacyClient: LegacyClient;
  /** Sends on the connection of that name. */
  send(connection: string): Send;
  /** Kills Redis, starts it without data, and connects again. */
  restart(): Promise<void>;
  /** A user that no other schedule is about, so that nothing has to be removed in between. */
  newUser(): string;
  close(): Promise<void>;
}

/** No wait of the product's is measured on these connections. */
const PATIENCE_MS = 30_000;

export async function startServers(connections: readonly string[]): Promise<Servers> {
  const [redis, { url }] = await Promise.all([ownRedis(), freshDatabase()]);
  const database = new pg.Client({ connectionString: url });
  // What ends it early fails the statement under way, too.
  database.on('error', () => {});
  await database.connect();
  await database.query(CREATE_ROWS);
  let open = new Map<string, RedisConnection>();
  const connect = async () => {
    const options = { url: redis.url, deadlineMs: PATIENCE_MS };
    open = new Map(connections.map((name) => [name, connectRedis({ ...options, name })]));
    await Promise.all([...open.values()].map((each) => each.ready(PATIENCE_MS)));
  };
  const disconnect = () => {
    for (const each of open.values()) each.close();
  };
  await connect();
  const run = randomUUID();
  let users = 0;
  const send =
    (connection: string): Send =>
    async (command) => {
      const found = open.get(connection);
      if (!found) throw new Error(`model: no connection ${connection}`);
      return found.send(command);
    };
  return {
    database,
    legacyClient: await createLegacyClient(send('legacy')),
    send,
    async restart() {
      disconnect();
      await redis.restart();
      await connect();
    },
    newUser() {
      users += 1;
      return `${run}-${users}`;
    },
    async close() {
      disconnect();
      await database.end();
    },
  };
}
