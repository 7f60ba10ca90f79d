/** Connections to a test's Redis that are closed when the test file has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
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

/** A connection that a test looks through, whatever is there; ready, and as patient as a busy machine needs. */
export async function lookInto(url: string, options: Partial<RedisOptions> = {}): Promise<RedisConnection> {
  const connection = connected({ url, name: 'test', deadlineMs: PATIENCE_MS, anyRole: true, ...options });
  await connection.ready(PATIENCE_MS);
  return connection;
}

/** How a promise ends, a rejection with its error's name, or `still waiting` after so many milliseconds. */
export function within(pending: Promise<unknown>, ms: number): Promise<unknown> {
  return Promise.race([
    pending.then(
      (value) => value,
      (error: Error) => error.name,
    ),
    sleep(ms, 'still waiting', { ref: false }),
  ]);
}

/** How often a server has been asked for a command: `get`, `client|setinfo`. */
export async function callsOf(server: RedisConnection, command: string): Promise<number> {
  const stats = String(await server.send(['INFO', 'commandstats']));
  return Number(new RegExp(`cmdstat_${command.replace('|', '\\|')}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}
