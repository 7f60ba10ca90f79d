import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { startWorker, type Worker } from '../workers.ts';
import type { BystanderTasks } from './bystander.ts';
import type { FlusherTasks } from './flusher.ts';
import { load, requireFlushed } from './keys.ts';
import type { Flusher, FlushRun } from './rows.ts';
import { clientBeside, flushByShell } from './shell.ts';

export interface Ground {
  readonly workspace: Workspace;
  readonly url: string;
  readonly redis: RedisConnection;
  readonly bystander: Worker<BystanderTasks>;
  /** The bundle of `flusher.ts`. */
  readonly file: string;
  /** How long the bystander reads where nobody flushes. */
  readonly calmMs: number;
}

/** The plain script with five million keys. */
const LIMIT_MS = 600_000;

/** Loads the keys, flushes them while the bystander reads, and looks whether exactly these are gone. */
export async function runFlush(ground: Ground, flusher: Flusher, keys: number): Promise<FlushRun> {
  const { redis, bystander } = ground;
  await load(redis, keys);
  const begin = await prepare(ground, flusher);
  await bystander.ask('begin', undefined);
  const measured = await begin();
  const waits = await bystander.ask('end', undefined, { limitMs: LIMIT_MS });
  if (flusher !== 'nobody') await requireFlushed(redis, keys);
  return { ...measured, waits };
}

type Measured = () => Promise<Pick<FlushRun, 'seconds' | 'memoryMb'>>;

/** Whatever is done before the time counts. */
async function prepare(ground: Ground, flusher: Flusher): Promise<Measured> {
  if (flusher === 'shell') return byShell(ground);
  if (flusher === 'nobody') return () => sleep(ground.calmMs, { seconds: Number.NaN, memoryMb: Number.NaN });
  return inProcess(ground, flusher);
}

async function byShell({ workspace, url, redis }: Ground): Promise<Measured> {
  const client = await clientBeside(redis);
  return async () => {
    const beganAt = performance.now();
    await flushByShell(workspace, url, client);
    return { seconds: (performance.now() - beganAt) / 1000, memoryMb: Number.NaN };
  };
}

async function inProcess({ workspace, url, file }: Ground, flusher: Flusher): Promise<Measured> {
  const worker = await startWorker<FlusherTasks>(workspace, {
    ...{ name: flusher, file },
    environment: { REDIS_URL: url, FLUSHER: flusher },
  });
  return async () => {
    const measured = await worker.ask('flush', undefined, { limitMs: LIMIT_MS });
    await worker.end();
    return measured;
  };
}
