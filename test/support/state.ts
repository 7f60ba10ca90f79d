/** The stores of state on a Redis and a PostgreSQL of the test file, as instances of the API in a phase each have them. */
import { afterAll } from '@jest/globals';
import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import type { Phase } from '../../lambda/cache/phase.ts';
import type { Send } from '../../lambda/cache/redis-store.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import { barState } from '../../lambda/outbox/bar-state.ts';
import { dispatch } from '../../lambda/outbox/dispatch.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { createAccessCodes } from '../../lambda/stores/access-codes.ts';
import { createCsrf } from '../../lambda/stores/csrf.ts';
import type { SessionLimits } from '../../lambda/stores/session-record.ts';
import { createSessions } from '../../lambda/stores/sessions.ts';
import { createStateRedis } from '../../lambda/stores/state-redis.ts';
import { createTeacherSessions } from '../../lambda/stores/teacher-sessions.ts';
import { lookInto } from './redis.ts';
import { freshDatabase, ownRedis } from './servers.ts';

export const ENV = 'test';

export const NAMESPACE = `cw:${ENV}:`;

/** What is put before the keys of state that a phase stores, in the order in which it asks. */
export const HOMES: Readonly<Record<Phase, readonly string[]>> = {
  legacy: [''],
  isolated: [''],
  dual: [NAMESPACE, ''],
  prefixed: [NAMESPACE],
};
export const PHASES = Object.keys(HOMES) as Phase[];

/** The edges of the migration, on each of which two phases run at once. */
export const EDGES: readonly (readonly [Phase, Phase])[] = [
  ['legacy', 'dual'],
  ['dual', 'prefixed'],
  ['prefixed', 'dual'],
  ['dual', 'legacy'],
  ['legacy', 'isolated'],
  ['isolated', 'legacy'],
];

export interface StateServers {
  readonly redis: RedisConnection;
  readonly database: Database;
}

let servers: Promise<StateServers> | undefined;
let opened: Database | undefined;

afterAll(() => opened?.end());

/** Those of the test file, opened by the first call. */
export function stateServers(): Promise<StateServers> {
  servers ??= (async () => {
    const [{ url: redisUrl }, { url: databaseUrl }] = await Promise.all([ownRedis(), freshDatabase()]);
    await migrate(databaseUrl);
    opened = createPool({ url: databaseUrl, applicationName: 'test', maxConnections: 20 });
    return { redis: await lookInto(redisUrl), database: opened };
  })();
  return servers;
}

export interface InstanceOptions extends StateServers {
  readonly phase: Phase;
  /** How it sends; a departure sends something else. */
  readonly send?: Send;
  readonly limits?: SessionLimits;
  readonly now?: () => number;
}

/** The stores of one instance. */
export function instance({ redis, database, phase, send = redis.send, ...more }: InstanceOptions) {
  const keyspace = createKeyspace({ phase, env: ENV });
  const troubles: { family: string; error: unknown }[] = [];
  const state = createStateRedis({
    keyspace,
    connections: { reads: send, send },
    onTrouble: (error, family) => void troubles.push({ family, error }),
  });
  return {
    phase,
    keyspace,
    state,
    troubles,
    sessions: createSessions({ redis: state, database, ...more }),
    csrf: createCsrf({ redis: state, database }),
    codes: createAccessCodes({ redis: state }),
    teachers: createTeacherSessions(state),
  };
}

export type Instance = ReturnType<typeof instance>;

/** One pass of the dispatcher. */
export const dispatched = ({ redis, database }: StateServers) => {
  const keyspace = createKeyspace({ phase: 'legacy', env: ENV });
  const cache = { invalidate: async () => 'done' as const, invalidateTag: async () => 'done' as const };
  return dispatch({
    ...{ database, keyspace, cache, retentionSeconds: 900 },
    barState: barState({ keyspace, send: redis.send }),
  });
};
