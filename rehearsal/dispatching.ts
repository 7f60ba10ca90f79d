import { LRUCache } from 'lru-cache';
import { type Dispatcher, openDispatcher } from '../lambda/outbox/dispatcher.ts';
import type { Ground } from './set-up.ts';

/** How long a write that answered `pending` can be unseen, less the pass itself. */
const DISPATCH_EVERY_MS = 2000;
/** While Redis is away each invalidation says the same. */
const SAY_AGAIN_AFTER_MS = 5000;
const KEPT_MESSAGES = 100;

export interface DispatchingOptions {
  readonly ground: Pick<Ground, 'redisUrls' | 'databaseUrl'>;
  readonly env: string;
  /** Told what goes wrong, and of writers that invalidate nothing. */
  readonly tell: (message: string, isUncovered: boolean) => void;
}

/** Repeats what nobody has confirmed; in AWS once a minute. */
export async function startDispatcher({ ground, env, tell }: DispatchingOptions): Promise<Dispatcher> {
  const told = new LRUCache<string, true>({ max: KEPT_MESSAGES, ttl: SAY_AGAIN_AFTER_MS });
  const warn = (message: string, { reason, uncovered }: Readonly<Record<string, unknown>> = {}) => {
    const text = `${message}: ${reason ?? JSON.stringify(uncovered)}`;
    if (told.has(text)) return;
    told.set(text, true);
    tell(text, uncovered !== undefined);
  };
  const dispatcher = await openDispatcher(
    { REDIS_URL: ground.redisUrls.serverless, DATABASE_URL: ground.databaseUrl, NODE_ENV: env },
    { info: () => {}, warn, error: warn },
  );
  // So that it is there when the rollout asks for it.
  await dispatcher.dispatch();
  dispatcher.every(DISPATCH_EVERY_MS);
  return dispatcher;
}
