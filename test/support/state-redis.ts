/** The state of a backend in a phase, over a real Redis. */

import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import { familiesIn } from '../../lambda/cache/phase.ts';
import type { Send } from '../../lambda/cache/redis-store.ts';
import type { Phase } from '../../lambda/contract/environment.ts';
import { createStateRedis, type StateRedis } from '../../lambda/stores/state-redis.ts';

export interface StateInOptions {
  readonly send: Send;
  readonly phase?: Phase;
  /** What CW_RL_PREFIX_ENABLED says. */
  readonly limitsPrefixed?: boolean;
  readonly onTrouble?: (error: unknown, family: string) => void;
}

/** In the environment `test`. */
export function stateIn({
  send,
  phase = 'legacy',
  limitsPrefixed = false,
  onTrouble,
}: StateInOptions): StateRedis {
  const families = familiesIn({ CW_RL_PREFIX_ENABLED: limitsPrefixed ? '1' : '0' });
  return createStateRedis({
    keyspace: createKeyspace({ phase, env: 'test', families }),
    connections: { reads: send, send },
    ...(onTrouble && { onTrouble }),
  });
}
