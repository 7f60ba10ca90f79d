import { setTimeout as sleep } from 'node:timers/promises';
import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import type { Phase } from '../../lambda/cache/phase.ts';
import type { Send } from '../../lambda/cache/redis-store.ts';
import type { Database } from '../../lambda/database/pool.ts';
import { createCsrf } from '../../lambda/stores/csrf.ts';
import { createSessions } from '../../lambda/stores/sessions.ts';
import { createStateRedis } from '../../lambda/stores/state-redis.ts';
import type { LegacyStores } from './sessions.ts';

export interface LegacyStoresOptions {
  /** Of a client of the user `legacy-state`. */
  readonly send: Send;
  readonly database: Database;
  /** Where the state is: it moves with the serverless backend's, since both answer for one cookie. */
  readonly phase: Phase;
  readonly env: string;
}

/** A command that Redis has not answered by then is given up, and the database decides. */
const DEADLINE_MS = 1000;

/** The runtime's stores in the legacy backend, on a connection of their own: in phase `legacy`, a migration's first step. */
export function createLegacyStores({ send, database, phase, env }: LegacyStoresOptions): LegacyStores {
  const onError = (error: unknown) => console.error('legacy: database', error);
  const redis = createStateRedis({
    keyspace: createKeyspace({ phase, env }),
    connections: { reads: within(DEADLINE_MS, send), send: within(DEADLINE_MS, send) },
    onTrouble: (error, family) => console.error('legacy: state', family, error),
  });
  return {
    sessions: createSessions({ redis, database, onError }),
    csrf: createCsrf({ redis, database, onError }),
  };
}

/** The client waits for Redis as long as it takes. */
const within =
  (deadlineMs: number, send: Send): Send =>
  async (command) => {
    const answered = new AbortController();
    const late = sleep(deadlineMs, undefined, { signal: answered.signal }).then(() => {
      throw new Error(`legacy: Redis did not answer within ${deadlineMs} ms`);
    });
    try {
      return await Promise.race([send(command), late]);
    } finally {
      late.catch(() => {});
      answered.abort();
    }
  };
