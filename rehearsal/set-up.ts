import { invalidationSteps, type Keyspace } from '../lambda/cache/keyspace.ts';
import type { Phase } from '../lambda/cache/phase.ts';
import { redisStore } from '../lambda/cache/redis-store.ts';
import { migrate } from '../lambda/database/migrate.ts';
import { createPool, type Database } from '../lambda/database/pool.ts';
import { connectRedis, type RedisConnection } from '../lambda/redis/connection.ts';
import type { BreakableRedis } from './faults/breakable-redis.ts';
import { protocolKeysIn, removeLeftKeys } from './own-keys.ts';
import { changeRedisUsers, createRedisUsers, type RedisUrls, refusalsOf, sameForAll } from './redis-users.ts';
import { type Preserved, removeRows, seedItems, seedPreserved } from './seed.ts';
import { postgresInUse, redisInUse, requireLoopback } from './servers/given-or-own.ts';
import type { Workspace } from './servers/workspace.ts';

/** The servers of a rehearsal, with its users' rows and the state that no flush may touch. */
export interface Ground {
  readonly redisUrl: string;
  /** As which users its parts connect: those that are deployed, on a Redis of our own. */
  readonly redisUrls: RedisUrls;
  readonly databaseUrl: string;
  /** The rehearsal's own connections, beside those of the backends. */
  readonly redis: RedisConnection;
  readonly database: Database;
  readonly preserved: Preserved;
  /** Gives the deployed users the rights of a phase. */
  changeUsers(phase: Phase): Promise<void>;
  /** A Redis of our own, to be broken on purpose. */
  readonly breakable: BreakableRedis | undefined;
  /** What Redis has refused to the deployed users so far. */
  refusals(): Promise<string[]>;
  /** Rejects when a server of our own ends; never resolves. */
  readonly failure: Promise<never>;
  /** Removes rows and keys from servers that were there before, and closes the connections. */
  close(): Promise<void>;
}

export interface GroundOptions {
  readonly workspace: Workspace;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly users: number;
  readonly keyspace: Keyspace;
  /** Whether the parts connect as the deployed users: the plain way uses commands that these may not. */
  readonly asDeployedUsers: boolean;
  /** The keys that the users' lists are cached under. */
  readonly cachedKeys: readonly string[];
}

const PATIENCE_MS = 5000;

/**
 * Starts or finds the servers, brings the schema up to date, and seeds both.
 * @throws UsageError, before anything is changed, for a server that does not answer or is on another machine.
 */
export async function setUp({
  workspace,
  environment,
  users,
  keyspace,
  cachedKeys,
  asDeployedUsers,
}: GroundOptions): Promise<Ground> {
  const { REDIS_URL: givenRedis, DATABASE_URL: givenDatabase } = environment;
  requireLoopback('REDIS_URL', givenRedis);
  requireLoopback('DATABASE_URL', givenDatabase);
  const [redisServer, databaseServer] = await Promise.all([
    redisInUse(workspace, givenRedis),
    postgresInUse(workspace, givenDatabase),
  ]);
  await migrate(databaseServer.url);

  const redis = connectRedis({ url: redisServer.url, name: 'cutover-rehearsal', deadlineMs: PATIENCE_MS });
  const database = createPool({
    url: databaseServer.url,
    applicationName: 'cutover-rehearsal',
    maxConnections: 2,
  });
  const hasUsers = redisServer.own && asDeployedUsers;
  const seed = async () => {
    await redis.ready(PATIENCE_MS);
    const before = redisServer.own ? new Set<string>() : await protocolKeysIn(redis.send);
    await seedItems(database, users);
    const { url } = redisServer;
    const redisUrls = hasUsers
      ? await createRedisUsers({ send: redis.send, url }, keyspace)
      : sameForAll(url);
    return { before, redisUrls, preserved: await seedPreserved(redis.send) };
  };
  const { before, redisUrls, preserved } = await seed().catch(async (error: unknown) => {
    if (!databaseServer.own) await removeRows(database).catch(() => {});
    // Open connections would keep the command from ending.
    redis.close();
    await database.end();
    throw error;
  });
  const failure = Promise.race([redisServer.failure, databaseServer.failure]);
  failure.catch(() => {});
  return {
    redisUrl: redisServer.url,
    redisUrls,
    databaseUrl: databaseServer.url,
    redis,
    database,
    preserved,
    async changeUsers(phase) {
      const { env, families } = keyspace;
      if (hasUsers) await changeRedisUsers(redis.send, { phase, env, families });
    },
    breakable: redisServer.breakable,
    refusals: async () => (redisServer.own ? refusalsOf(redis.send) : []),
    failure,
    async close() {
      try {
        if (!redisServer.own) {
          const { send } = redis;
          await preserved.remove();
          await redisStore(send).unlink(invalidationSteps(cachedKeys.map((key) => keyspace.locate(key))));
          await removeLeftKeys({ send, database, env: keyspace.env, before });
        }
      } finally {
        redis.close();
        try {
          if (!databaseServer.own) await removeRows(database);
        } finally {
          await database.end();
        }
      }
    },
  };
}
