/** Redis servers that cannot be reached, each in its own way, until they can. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from '@jest/globals';
import { freePort } from '../../rehearsal/servers/process.ts';
import { ownRedis } from './servers.ts';

export interface UnreachableRedis {
  readonly url: string;
  /** Makes it a Redis like any other, empty, at the same address. */
  end(): Promise<void>;
}

/** Nobody listens: each connection is refused at once. */
export async function refused(): Promise<UnreachableRedis> {
  const port = await freePort();
  return { url: `redis://127.0.0.1:${port}`, end: async () => void (await ownRedis({ port })) };
}

/** Stopped: the kernel accepts for it, and nothing is ever answered. */
export async function frozen(): Promise<UnreachableRedis> {
  const redis = await ownRedis();
  await redis.kill('SIGSTOP');
  return { url: redis.url, end: () => redis.kill('SIGCONT') };
}

const inQueues: Socket[] = [];

afterAll(() => {
  for (const socket of inQueues) socket.destroy();
});

/** A SYN that is not answered within this time never will be. */
const UNANSWERED_MS = 250;
const MAX_QUEUED = 50;

/**
 * Stopped, and the queue of connections that it has not accepted is full: the kernel drops each further SYN, as a firewall
 * or a host that is gone does.
 */
export async function blackHole(): Promise<UnreachableRedis> {
  const redis = await ownRedis({ args: ['--tcp-backlog', '1'] });
  await redis.kill('SIGSTOP');
  const queued: Socket[] = [];
  const isAnswered = async () => {
    const socket = connect(redis.port, '127.0.0.1').on('error', () => {});
    queued.push(socket);
    inQueues.push(socket);
    return Promise.race([once(socket, 'connect').then(() => true), sleep(UNANSWERED_MS, false)]);
  };
  while (await isAnswered()) {
    if (queued.length === MAX_QUEUED) throw new Error(`blackHole: ${MAX_QUEUED} connections were answered`);
  }
  return {
    url: redis.url,
    async end() {
      for (const socket of queued) socket.destroy();
      await redis.kill('SIGCONT');
    },
  };
}
