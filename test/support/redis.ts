/** Connections to a test's Redis that are closed when the test file has ended. */
import { afterAll } from '@jest/globals';
import { connectRedis, type RedisConnection, type RedisOptions } from '../../lambda/redis/connection.ts';

const PATIENCE_MS = 10_000;
const opened: RedisConnection[] = [];

afterAll(() => {
  for (const connection of opened) connection.close();
});

/** A connection of the runtime's own kind. */
export function connected(options: RedisOptions): RedisConnection {
  const connection = connectRedis(options);
  opened.push(connection);
  return connection;
}

/** A connection that a test looks through; ready, and as patient as a busy machine needs. */
export async function lookInto(url: string): Promise<RedisConnection> {
  const connection = connected({ url, name: 'test', deadlineMs: PATIENCE_MS });
  await connection.ready(PATIENCE_MS);
  return connection;
}
