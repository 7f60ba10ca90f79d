import { createCache } from '../../../lambda/cache/cache.ts';
import { redisStore, type Send } from '../../../lambda/cache/redis-store.ts';
import { retentionSeconds } from '../../../lambda/contract/families.ts';
import { dispatch, LATELY_SECONDS } from '../../../lambda/outbox/dispatch.ts';
import { REPLAYED_LATELY } from '../../../lambda/outbox/replayed-redis.ts';
import { type GatedConnectionOptions, gateOf } from './connection.ts';
import { FAMILIES, keyspaceOf } from './registry.ts';

/** The process that makes good for writes whose invalidation was not confirmed. */
export interface DispatcherProcess {
  /** One pass. @returns whether it confirmed all that it found. */
  pass(): Promise<boolean>;
  connected(): Promise<void>;
}

const asIs = (send: Send) => send;

/** As lambda/outbox/dispatcher.ts wires it. */
export function createDispatcher(options: GatedConnectionOptions): DispatcherProcess {
  const { send, database, departure } = options;
  const keyspace = keyspaceOf('legacy');
  const cache = createCache({ keyspace, store: redisStore(send) });
  const { connected } = gateOf({ send, database, departure: { ...departure, gateSend: asIs } });
  return {
    async pass() {
      await connected();
      const replayedLately = await send(['GET', REPLAYED_LATELY]).then(
        (found) => found !== null,
        () => true,
      );
      const { pending } = await dispatch({
        database,
        keyspace,
        cache,
        retentionSeconds: retentionSeconds(FAMILIES),
        againSeconds: replayedLately ? LATELY_SECONDS : 0,
      });
      return !pending;
    },
    connected,
  };
}
