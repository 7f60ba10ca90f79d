import type { Send } from '../../../lambda/cache/redis-store.ts';
import { type MirrorableClient, mirror } from '../../../lambda/mirror/mirror.ts';
import type { LegacyRedis } from '../../../rehearsal/legacy/app.ts';
import { ENV, FAMILIES } from './registry.ts';

type Client = Omit<LegacyRedis, 'ping'> & MirrorableClient;

/** The legacy backend's client, whose commands travel on a schedule's wire. */
export interface LegacyClient {
  readonly plain: Client;
  readonly mirrored: Client;
  /** Sends from now on by this. */
  use(send: Send): void;
  /** Its connection is a new one. */
  connected(): void;
}

/**
 * One client for all schedules of a file: each mirror has an `AsyncLocalStorage` of its own, and each of these costs
 * every promise of the process. The mirror's first commands, with which it claims the environment and finds the mark of a
 * replay, are sent here. So no schedule has a mirror that starts on a Redis which came back from a snapshot without the
 * mark, before anybody has replayed to it: that one would take it for a Redis on which nothing has run yet, which is
 * outside the promise.
 */
export async function createLegacyClient(first: Send): Promise<LegacyClient> {
  let send = first;
  const onReady: (() => void)[] = [];
  const plain: Client = {
    isReady: true,
    sendCommand: (command) => send(command),
    on: (event, listener) => event === 'ready' && onReady.push(listener),
    get: (key) => send(['GET', key]) as Promise<string | null>,
    setEx: (key, seconds, value) => send(['SETEX', key, String(seconds), value]),
    del: (key) => send(['DEL', key]),
  };
  const mirrored = mirror(plain, { env: ENV, families: FAMILIES });
  await mirrored.del('lists:nobody');
  return {
    plain,
    mirrored,
    use(wire) {
      send = wire;
    },
    connected() {
      for (const listener of onReady) listener();
    },
  };
}
