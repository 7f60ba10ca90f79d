import { beforeAll, beforeEach, describe, jest } from '@jest/globals';
import { memoryStore } from '../../../lambda/cache/memory-store.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { memorySets, redisSets } from '../../../lambda/cache/set-stores.ts';
import type { SetStore } from '../../../lambda/cache/sets.ts';
import type { CacheStore } from '../../../lambda/cache/store.ts';
import { REDIS_KINDS } from '../../support/redis-kinds.ts';
import { cacheContract } from './contract.ts';
import { setContract } from './set-contract.ts';
import { tagContract } from './tag-contract.ts';
import { valueContract } from './value-contract.ts';

// A read has 250 ms for all that it asks of Redis: where this machine stands still for longer, it loads beside the others, as it should.
jest.retryTimes(2);

const PHASES: readonly Phase[] = ['legacy', 'isolated', 'dual', 'prefixed'];

/** One suite for every store: what the memory cache promises, Redis does, whatever its kind. */
function contracts(store: () => CacheStore, sets: () => SetStore): void {
  describe.each(PHASES)('phase %s', (phase) => {
    setContract(phase, sets);
    cacheContract(phase, store);
    valueContract(phase, store);
    tagContract(phase, store);
  });
}

describe('memory', () => {
  let store: CacheStore;
  let sets: SetStore;
  beforeEach(() => {
    store = memoryStore();
    sets = memorySets();
  });
  contracts(
    () => store,
    () => sets,
  );
});

describe.each(Object.entries(REDIS_KINDS))('Redis, %s', (_, open) => {
  let redis: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    redis = await open();
  });
  beforeEach(() => emptied(redis));
  contracts(
    () => redisStore(redis.send, redis),
    () => redisSets(redis.send),
  );
});

/** Its user may neither flush nor list: what the suite writes is named. */
async function emptied({ send }: { send: (command: readonly string[]) => Promise<unknown> }): Promise<void> {
  const logical = ['mocs:user:1:list', 'mocs:user:2:list', 'own:1', 'query:list:1', 'bare:1', 'members:1'];
  const keys = logical.flatMap((key) => [
    key,
    `v2:${key}`,
    `cw:test:${key}`,
    `cutover:lease:{${key}}:${key}`,
  ]);
  const epochs = ['user:1', 'all', 'another'].map((tag) => `cutover:epoch:${tag}`);
  await Promise.all([...keys, ...epochs].map((key) => send(['UNLINK', key])));
}
