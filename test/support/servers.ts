/**
 * Real servers for a test file. They never are those of the developer's REDIS_URL and DATABASE_URL,
 * and whatever a test leaves open is gone when the file, or at the latest the run, has ended.
 */
import { randomBytes } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { createDatabase, dropDatabase } from '../../rehearsal/servers/postgres.ts';
import { type RedisOptions, type RedisServer, startRedis } from '../../rehearsal/servers/redis.ts';
import { openWorkspace, type Workspace } from '../../rehearsal/servers/workspace.ts';

/** An empty database on the run's PostgreSQL. */
export interface TestDatabase {
  readonly url: string;
  /** Drops it, and ends the connections to it; nothing needs to, since the server goes as well. */
  drop(): Promise<void>;
}

let workspace: Promise<Workspace> | undefined;

afterAll(async () => (await workspace)?.close());

/** The test file's own workspace, opened by the first call and closed after the file's last test. */
export function ownWorkspace(): Promise<Workspace> {
  workspace ??= openWorkspace();
  return workspace;
}

/** A Redis for this test file alone. */
export async function ownRedis(options?: RedisOptions): Promise<RedisServer> {
  return startRedis(await ownWorkspace(), options);
}

/** A new database for this test file alone. */
export async function freshDatabase(): Promise<TestDatabase> {
  const server = process.env['CUTOVER_TEST_POSTGRES_URL'];
  if (!server) throw new Error('freshDatabase needs a project with globalSetup: see jest.config.mjs');
  const name = `test_${randomBytes(6).toString('hex')}`;
  return { url: await createDatabase(server, name), drop: () => dropDatabase(server, name) };
}
