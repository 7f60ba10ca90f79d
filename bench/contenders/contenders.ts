import { openAsyncCacheDedupe } from './async-cache-dedupe.ts';
import { openBentocache } from './bentocache.ts';
import { openCacheManager } from './cache-manager.ts';
import { openCacheable } from './cacheable.ts';
import { type OpenContender, OURS, RAW } from './contender.ts';
import { openIoredis } from './ioredis.ts';
import { openOurs } from './ours.ts';
import { openRaw } from './raw.ts';

/** Everybody in the race, as the tables name them. */
export const CONTENDERS: Readonly<Record<string, OpenContender>> = {
  [RAW]: openRaw,
  ioredis: openIoredis,
  bentocache: openBentocache,
  cacheable: openCacheable,
  'cache-manager': openCacheManager,
  'async-cache-dedupe': openAsyncCacheDedupe,
  [OURS]: openOurs,
};
