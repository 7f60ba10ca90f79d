import { INSTANCE_PREFIX, type Instance, parseInstance } from '../cache/presence.ts';
import type { Send } from '../cache/redis-store.ts';
import type { Primary } from '../redis/connection.ts';

/** So many keys at a time: Redis looks at them in less than a millisecond. */
const PAGE_KEYS = 1000;

/**
 * Who has used this Redis in the last two minutes, by service. Goes over all keys, as a user who may: `auditor` in
 * lambda/contract/access.ts. @throws what Redis throws.
 */
export async function instancesOn(primaries: readonly Primary[]): Promise<Instance[]> {
  const found = await Promise.all(primaries.map(({ send }) => instancesAt(send)));
  return found.flat().sort((one, other) => one.service.localeCompare(other.service));
}

async function instancesAt(send: Send): Promise<Instance[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const page = await send(['SCAN', cursor, 'MATCH', `${INSTANCE_PREFIX}*`, 'COUNT', String(PAGE_KEYS)]);
    const [next, some] = page as [unknown, readonly unknown[]];
    for (const key of some) keys.add(String(key));
    cursor = String(next);
  } while (cursor !== '0');
  // One by one: in a cluster each is in a slot of its own.
  const told = await Promise.all(Array.from(keys, (key) => send(['GET', key])));
  return told.flatMap((text) => (text === null ? [] : (parseInstance(String(text)) ?? [])));
}
