import { Cacheable } from 'cacheable';
import { ignore, type OpenContender, TTL_SECONDS } from './contender.ts';
import { connectKeyv } from './keyv.ts';

/** cacheable with Redis as its primary store, instead of the memory that it uses by default. */
export const openCacheable: OpenContender = async ({ url, load }) => {
  const open = async (namespace: string, tags: boolean) => {
    const cache = new Cacheable({
      primary: await connectKeyv(url, namespace),
      ttl: TTL_SECONDS * 1000,
      tags,
    });
    cache.on('error', ignore);
    return cache;
  };
  const cache = await open('cacheable', false);
  // Tags cost each read a further command, so that only who uses them pays.
  const tagged = await open('cacheable-tagged', true);
  return {
    read: (key) => cache.getOrSet(key, () => load(key)),
    invalidations: [
      { means: 'delete', invalidate: (key) => cache.delete(key) },
      { means: 'set', invalidate: (key, value) => cache.set(key, value) },
      { means: 'clear', invalidate: () => cache.clear() },
      {
        means: 'invalidateTag',
        invalidate: (key) => tagged.tags.invalidateTag(`tag-${key}`),
        // getOrSet takes no tags: this is what its documentation shows for them.
        async read(key) {
          const stored = await tagged.get(key);
          if (stored !== undefined) return stored;
          const value = await load(key);
          await tagged.set(key, value, { tags: [`tag-${key}`] });
          return value;
        },
      },
    ],
  };
};
