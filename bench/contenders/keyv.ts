import KeyvRedis, { createClient } from '@keyv/redis';
import { Keyv } from 'keyv';
import { ignore } from './contender.ts';

/**
 * A Keyv on Redis, of which cacheable and cache-manager are made, as `createKeyv` of @keyv/redis makes it: the
 * namespace is the adapter's alone. Connected before it is handed over.
 */
export async function connectKeyv(url: string, namespace: string): Promise<Keyv> {
  const client = createClient({ url });
  client.on('error', ignore);
  await client.connect();
  const keyv = new Keyv({ store: new KeyvRedis(client), namespace, useKeyPrefix: false });
  keyv.on('error', ignore);
  return keyv;
}
