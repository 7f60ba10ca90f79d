import { environmentName } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';
import { connectRedis, type RedisConnection } from '../redis/connection.ts';
import { type RedisTarget, redisOptionsOf } from '../redis/options.ts';
import type { RawConnection } from '../redis/raw/raw-connection.ts';
import { type Examination, type Finding, fail, notRun, pass } from './examination.ts';
import { type Address, addressOf, listens, resolves } from './reach.ts';
import { type Greeting, greet } from './redis-login.ts';
import { narrowEnough, wideEnough } from './redis-rights.ts';
import {
  claimOf,
  clusterModeOf,
  evictionOf,
  latencyOf,
  memoryOf,
  redisClockOf,
  roleOf,
  usageOf,
  versionOf,
} from './redis-server.ts';
import { refused } from './variables.ts';

const PATIENCE_MS = 3000;

/**
 * Examines the Redis of REDIS_URL as its user, step by step from the name to what the server is like.
 * @returns a connection for what comes after, where all of it can be reached; to be closed.
 */
export async function examineRedis(
  examination: Examination,
  environment: Environment,
): Promise<RedisConnection | undefined> {
  let target: RedisTarget | undefined;
  await examination.check('redis url', [], () => {
    try {
      target = redisOptionsOf(environment);
      return target ? pass('is one') : fail('REDIS_URL is not set', 'set it to rediss://host:6379');
    } catch (error) {
      if (error instanceof ConfigurationError) return refused(error);
      throw error;
    }
  });
  const url = target?.url ?? 'redis://nowhere';
  const address = addressOf(url, 6379, 'REDIS_URL');
  await examination.check('redis address', ['redis url'], () => resolves(address));
  await examination.check('redis port', ['redis address'], () => listens(address));
  const raw = await login(examination, { target, address });
  try {
    return await examineServer(examination, { environment, target, raw });
  } finally {
    raw?.close();
  }
}

async function login(
  examination: Examination,
  { target, address }: { target: RedisTarget | undefined; address: Address },
): Promise<RawConnection | undefined> {
  let greeting: Greeting | undefined;
  const greeted = async (): Promise<Greeting> => {
    if (!target) throw new Error('REDIS_URL is not set');
    greeting ??= await greet(target, address);
    return greeting;
  };
  await examination.check('redis tls', ['redis port'], async () => (await greeted()).tls);
  await examination.check('redis login', ['redis port', 'redis tls'], async () => (await greeted()).login);
  return greeting?.connection;
}

interface Server {
  readonly environment: Environment;
  readonly target: RedisTarget | undefined;
  /** To the server that the URL names: any node of a cluster. */
  readonly raw: RawConnection | undefined;
}

async function examineServer(
  examination: Examination,
  { environment, target, raw }: Server,
): Promise<RedisConnection | undefined> {
  const { check } = examination;
  const send: RawConnection['send'] = (command) =>
    raw ? raw.send(command) : Promise.reject(new Error('there is no connection'));
  const info = async (section: string) => String(await send(['INFO', section]));
  await check('redis rights', ['redis login', 'NODE_ENV', 'phase variables'], () =>
    wideEnough({ send }, environment),
  );
  await check('redis excess rights', ['redis login'], () => narrowEnough({ send }));
  await check('redis version', ['redis login'], () => versionOf(info));
  await check('redis cluster mode', ['redis login'], () => clusterModeOf(info, target?.cluster === true));
  let connection: RedisConnection | undefined;
  await check('redis primary', ['redis cluster mode'], async () => {
    const role = target?.cluster ? undefined : await roleOf(info);
    if (!target || role?.outcome === 'fail') return role ?? notRun('REDIS_URL is not set');
    connection = connectRedis({
      ...{ ...target, name: 'cutover-doctor', anyRole: true, deadlineMs: PATIENCE_MS, maxAttempts: 3 },
    });
    return role ?? (await allOf(connection));
  });
  const primaries = () => connection?.primaries() ?? [];
  const route: RedisConnection['send'] = (command) =>
    connection ? connection.send(command) : Promise.reject(new Error('there is no connection'));
  await check('redis eviction', ['redis primary'], async () => {
    await connection?.ready(PATIENCE_MS);
    return evictionOf(await memoryOf(primaries()));
  });
  await check('redis memory', ['redis eviction'], async () => usageOf(await memoryOf(primaries())));
  await check('redis environment', ['redis primary', 'NODE_ENV'], async () => {
    await connection?.ready(PATIENCE_MS);
    return claimOf(route, environmentName(environment['NODE_ENV']));
  });
  await check('redis latency', ['redis login'], () => latencyOf(send));
  await check('redis clock', ['redis login'], () => redisClockOf(info));
  return connection;
}

/** Whether each primary of a cluster can be asked. */
async function allOf(connection: RedisConnection): Promise<Finding> {
  try {
    await connection.ready(PATIENCE_MS);
    return pass(`${connection.primaries().length} primaries`);
  } catch (error) {
    const { message } = error as Error;
    return fail(
      `not every primary can be asked: ${message.replace(/^redis: /, '')}`,
      'admit this process to all nodes, and give its user +cluster|slots',
    );
  }
}
