import { Redis } from 'ioredis';
import { ignore, type OpenContender, TTL_SECONDS } from './contender.ts';

/** An ioredis client for a server under load: what is sent in one tick travels in one pipeline. */
export async function connectIoredis(url: string): Promise<Redis> {
  const client = new Redis(url, { enableAutoPipelining: true, lazyConnect: true });
  client.on('error', ignore);
  await client.connect();
  return client;
}

/** The plain pattern on ioredis: GET, and after a miss SET, unfenced. */
export const openIoredis: OpenContender = async ({ url, load }) => {
  const client = await connectIoredis(url);
  const stored = (key: string) => `ioredis:${key}`;
  const store = (key: string, value: unknown) =>
    client.set(stored(key), JSON.stringify(value), 'EX', TTL_SECONDS);
  return {
    async read(key) {
      const bytes = await client.get(stored(key));
      if (bytes !== null) return JSON.parse(bytes);
      const value = await load(key);
      await store(key, value);
      return value;
    },
    invalidations: [
      { means: 'DEL', invalidate: (key) => client.del(stored(key)) },
      { means: 'SET', invalidate: store },
    ],
  };
};
