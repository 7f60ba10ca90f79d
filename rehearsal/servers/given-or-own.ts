import { createPool } from '../../lambda/database/pool.ts';
import { connectRedis } from '../../lambda/redis/connection.ts';
import { type BreakableRedis, startBreakableRedis } from '../faults/breakable-redis.ts';
import { UsageError } from '../options.ts';
import { startPostgres } from './postgres.ts';
import type { Workspace } from './workspace.ts';

/** A server to work with, and whether it is the project's own and ends with it. */
export interface ServerInUse {
  readonly url: string;
  readonly own: boolean;
  /** Rejects when a server of our own ends; never resolves. */
  readonly failure: Promise<never>;
}

export interface RedisInUse extends ServerInUse {
  /** Undefined for one that was there before. */
  readonly breakable: BreakableRedis | undefined;
}

const NEVER = new Promise<never>(() => {});

function ownServer(what: string, { url, ended }: { url: string; ended: Promise<string> }): ServerInUse {
  const failure = ended.then((how) => {
    throw new Error(`servers: ${what} at ${redacted(url)} ended (${how}) while it was in use`);
  });
  // At the end of a run nobody waits for it.
  failure.catch(() => {});
  return { url, own: true, failure };
}

const REACHABLE_WITHIN_MS = 3000;

/**
 * REDIS_URL's server, or one of our own.
 * @throws UsageError naming the URL when that server does not answer.
 */
export async function redisInUse(workspace: Workspace, url: string | undefined): Promise<RedisInUse> {
  if (!url) {
    const breakable = await startBreakableRedis(workspace);
    return { ...ownServer('Redis', breakable), breakable };
  }
  const redis = connectRedis({ url, name: 'cutover-check', maxAttempts: 1, deadlineMs: REACHABLE_WITHIN_MS });
  try {
    await redis.ready(REACHABLE_WITHIN_MS);
    await redis.send(['PING']);
    return { url, own: false, failure: NEVER, breakable: undefined };
  } catch (cause) {
    throw unreachable('REDIS_URL', url, cause);
  } finally {
    redis.close();
  }
}

/**
 * DATABASE_URL's server, or one of our own.
 * @throws UsageError naming the URL when that server does not answer.
 */
export async function postgresInUse(workspace: Workspace, url: string | undefined): Promise<ServerInUse> {
  if (!url) {
    const server = await startPostgres(workspace);
    return ownServer('PostgreSQL', { url: await server.createDatabase('cutover'), ended: server.ended });
  }
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError(
      `servers: DATABASE_URL=${redacted(url)} is not a PostgreSQL URL; write postgresql://user:password@host:5432/name`,
    );
  }
  const pool = createPool({ url, applicationName: 'cutover-check', maxConnections: 1 });
  try {
    await pool.query('SELECT 1');
    return { url, own: false, failure: NEVER };
  } catch (cause) {
    throw unreachable('DATABASE_URL', url, cause);
  } finally {
    await pool.end();
  }
}

/**
 * A rehearsal flushes caches and writes rows: somebody's shared server is no place for it.
 * @throws UsageError for a server on another machine.
 */
export function requireLoopback(name: string, url: string | undefined): void {
  if (!url || !/^(rediss?|postgres(ql)?):\/\//.test(url) || !URL.canParse(url)) return;
  const { hostname } = new URL(url);
  if (['localhost', '[::1]', ''].includes(hostname) || hostname.startsWith('127.')) return;
  throw new UsageError(
    `rehearse: ${name}=${redacted(url)} is on another machine, and a rehearsal flushes caches and writes rows; unset ${name}, or name a server on this one`,
  );
}

function unreachable(name: string, url: string, cause: unknown): UsageError {
  const why =
    cause instanceof AggregateError ? cause.errors.map(String).join(', ') : String((cause as Error).message);
  return new UsageError(
    `servers: ${name}=${redacted(url)} does not answer: ${why}; start it, or unset ${name}`,
    { cause },
  );
}

/** A URL without its password. */
export function redacted(url: string): string {
  if (!URL.canParse(url)) return JSON.stringify(url.replace(/\/\/.*@/, '//***@'));
  const parsed = new URL(url);
  if (parsed.password) parsed.password = '***';
  return parsed.href;
}
