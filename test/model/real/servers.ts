import { randomUUID } from 'node:crypto';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { createReplayGate } from '../../../lambda/cache/replay-gate.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../../lambda/database/pool.ts';
import { REPLAYED_LATELY } from '../../../lambda/outbox/replayed-redis.ts';
import { connectRedis, type RedisConnection } from '../../../lambda/redis/connection.ts';
import { ALL_SLOTS } from '../../../lambda/redis/slot.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';
import { FILL } from './fill-script.ts';
import { createLegacyClient, type LegacyClient } from './legacy-client.ts';
import { FAMILIES } from './registry.ts';
import { CREATE_LISTS } from './rows.ts';

/** The connections that a schedule uses: one a process, one for their second attempts, and one of nobody's. */
const CONNECTIONS = ['a', 'b', 'legacy', 'others', 'fresh', 'nobody'] as const;
export type Connection = (typeof CONNECTIONS)[number];

/** The real Redis and PostgreSQL of a test file. */
export interface Servers {
  readonly database: Database;
  readonly legacyClient: LegacyClient;
  /** Sends on the connection of that name. */
  send(connection: Connection): Send;
  /** Saves what Redis holds now, for the next restart. */
  snapshot(): Promise<void>;
  /** Kills Redis, starts it from the last snapshot since its last start, or without data, and connects again. */
  restart(): Promise<void>;
  /** A user that no other schedule is about, so that nothing has to be removed in between. */
  newUser(): string;
  /** Removes what a schedule left, and prepares for the next one: none depends on the one before. */
  tidy(keys: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** No wait of the product's is measured on these connections. */
const PATIENCE_MS = 30_000;

export async function startServers(): Promise<Servers> {
  const [redis, { url }] = await Promise.all([ownRedis(), freshDatabase()]);
  const database = createPool({ url, applicationName: 'schedules' });
  await database.query(CREATE_LISTS);
  await migrate(url, FAMILIES);
  let open = new Map<Connection, RedisConnection>();
  const connect = async () => {
    // One name for all: node-redis builds a class of 300 methods, 25 ms long, whenever its options differ from those before.
    const options = { url: redis.url, name: 'schedules', deadlineMs: PATIENCE_MS };
    open = new Map(CONNECTIONS.map((name) => [name, connectRedis(options)]));
    await Promise.all([...open.values()].map((each) => each.ready(PATIENCE_MS)));
  };
  const disconnect = () => {
    for (const each of open.values()) each.close();
  };
  await connect();
  const run = randomUUID();
  let users = 0;
  const send =
    (connection: Connection): Send =>
    async (command) => {
      const found = open.get(connection);
      if (!found) throw new Error(`model: no connection ${connection}`);
      return found.send(command);
    };
  const nobody = send('nobody');
  let saved = false;
  let restarted = false;
  // Otherwise the first fill would be refused once.
  const loadScript = () => nobody(['SCRIPT', 'LOAD', FILL]);
  await loadScript();
  // Redis has been replayed to before the first schedule.
  await createReplayGate({ replay: async () => true }).connected({ send: nobody, slots: ALL_SLOTS });
  return {
    database,
    legacyClient: await createLegacyClient(send('legacy')),
    send,
    async snapshot() {
      await nobody(['SAVE']);
      saved = true;
    },
    async restart() {
      if (!saved) {
        await nobody(['FLUSHALL']);
        await nobody(['SAVE']);
      }
      saved = false;
      restarted = true;
      disconnect();
      await redis.restart();
      await connect();
    },
    newUser() {
      users += 1;
      return `${run}-${users}`;
    },
    async tidy(keys) {
      await nobody(['UNLINK', REPLAYED_LATELY, ...keys]);
      if (restarted) await loadScript();
      restarted = false;
    },
    async close() {
      disconnect();
      await database.end();
    },
  };
}
