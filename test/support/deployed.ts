/** Functions as they are deployed, whose connections are closed when the test file has ended. */
import { afterAll, jest } from '@jest/globals';
import type { Environment } from '../../lambda/cache/phase.ts';
import type { Handler } from '../../rehearsal/host/host.ts';

type Connections = typeof import('../../lambda/redis/connection.ts');
type Pools = typeof import('../../lambda/database/pool.ts');
type Replayed = typeof import('../../lambda/outbox/replayed-redis.ts');

// A Lambda function never ends its connections: here the real ones are remembered as they are opened.
const opened: { close(): unknown }[] = [];

jest.mock('../../lambda/redis/connection.ts', () => {
  const actual = jest.requireActual<Connections>('../../lambda/redis/connection.ts');
  const connectRedis: Connections['connectRedis'] = (options) => {
    const connection = actual.connectRedis(options);
    opened.push(connection);
    return connection;
  };
  return { ...actual, connectRedis };
});

// Closed first: it would go on to ask on a connection that is closed.
jest.mock('../../lambda/outbox/replayed-redis.ts', () => {
  const actual = jest.requireActual<Replayed>('../../lambda/outbox/replayed-redis.ts');
  const openReplayedRedis: Replayed['openReplayedRedis'] = async (options) => {
    const redis = await actual.openReplayedRedis(options);
    opened.unshift(redis);
    return redis;
  };
  return { ...actual, openReplayedRedis };
});

jest.mock('../../lambda/database/pool.ts', () => {
  const actual = jest.requireActual<Pools>('../../lambda/database/pool.ts');
  const createPool: Pools['createPool'] = (options) => {
    const pool = actual.createPool(options);
    opened.push({ close: () => pool.ending || pool.end() });
    return pool;
  };
  return { ...actual, createPool };
});

afterAll(() => Promise.all(opened.map((each) => each.close())));

/** Wires the API from an environment; its log is silent. */
export async function wiredApi(environment: Environment): Promise<Handler> {
  process.env['LOG_LEVEL'] = 'SILENT';
  const { apiHandler } = await import('../../lambda/http/wire.ts');
  // Two descriptions of one event: Hono's and that of @types/aws-lambda.
  return (await apiHandler(environment)) as unknown as Handler;
}

/** Loads the dispatcher afresh, as a cold start does. */
export async function coldDispatcher(environment: Record<string, string>) {
  process.env = { ...process.env, LOG_LEVEL: 'SILENT', ...environment };
  jest.resetModules();
  const { handler } = await import('../../lambda/functions/dispatcher.ts');
  return handler;
}
