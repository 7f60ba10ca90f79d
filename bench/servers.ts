import { startPostgres } from '../rehearsal/servers/postgres.ts';
import { startRedis } from '../rehearsal/servers/redis.ts';
import type { Workspace } from '../rehearsal/servers/workspace.ts';

/** An empty Redis and an empty database. */
export interface Servers {
  readonly redisUrl: string;
  readonly databaseUrl: string;
}

/** Starts a Redis and a PostgreSQL for a bench alone. */
export async function startServers(workspace: Workspace): Promise<Servers> {
  const [redis, postgres] = await Promise.all([startRedis(workspace), startPostgres(workspace)]);
  return { redisUrl: redis.url, databaseUrl: await postgres.createDatabase('bench') };
}
