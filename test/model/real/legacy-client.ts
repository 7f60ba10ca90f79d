import type { Send } from '../../../lambda/cache/redis-store.ts';
import { type MirrorableClient, mirror } from '../../../lambda/mirror/mirror.ts';
import type { LegacyRedis } from '../../../rehearsal/legacy/app.ts';

/** The name in `cw:{env}:` of all processes of the schedules. */
export const ENV = 'test';

type Client = Omit<LegacyRedis, 'ping'> & MirrorableClient;

/** The legacy backend's client, whose commands travel on a schedule's wire. */
export interface LegacyClient {
  readonly plain: Client;
  readonly mirrored: Client;
  /** Sends from now on by this. */
  use(send: Send): void;
}

/**
 * One client for all schedules of a file: each mirror has an `AsyncLocalStorage` of its own, and each of these costs
 * every promise of the process. The mirror's first command, with which it claims the environment, is sent here.
 */
export async function createLegacyClient(first: Send): Promise<LegacyClient> {
  let send = first;
  const plain: Client = {
    isReady: true,
    sendCommand: (command) => send(command),
    get: (key) => send(['GET', key]) as Promise<string | null>,
    setEx: (key, seconds, value) => send(['SETEX', key, String(seconds), value]),
    del: (key) => send(['DEL', key]),
  };
  const mirrored = mirror(plain, { env: ENV });
  await mirrored.del('mocs:user:0:list');
  return {
    plain,
    mirrored,
    use(wire) {
      send = wire;
    },
  };
}
