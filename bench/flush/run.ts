import type { RedisConnection } from '../../lambda/redis/connection.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { startWorker, type Worker } from '../workers.ts';
import type { BystanderTasks } from './bystander.ts';
import type { FlusherTasks } from './flusher.ts';
import { load, requireFlushed } from './keys.ts';
import type { Flusher, FlushRun } from './rows.ts';
import { flushByShell } from './shell.ts';

export interface Ground {
  readonly workspace: Workspace;
  readonly url: string;
  readonly redis: RedisConnection;
  readonly bystander: Worker<BystanderTasks>;
  /** The bundle of `flusher.ts`. */
  readonly file: string;
}

/** The plain script with five million keys. */
const LIMIT_MS = 600_000;

/** Loads the keys, flushes them while the bystander reads, and looks whether exactly these are gone. */
export async function runFlush(ground: Ground, flusher: Flusher, keys: number): Promise<FlushRun> {
  const { workspace, url, redis, bystander, file } = ground;
  await load(redis, keys);
  const done = flusher === 'shell' ? byShell(workspace, url) : inProcess({ workspace, url, file, flusher });
  const begin = await done;
  await bystander.ask('begin', undefined);
  const measured = await begin();
  const waits = await bystander.ask('end', undefined, { limitMs: LIMIT_MS });
  await requireFlushed(redis, keys);
  return { ...measured, waits };
}

type Measured = () => Promise<Pick<FlushRun, 'seconds' | 'memoryMb'>>;

async function byShell(workspace: Workspace, url: string): Promise<Measured> {
  return async () => {
    const beganAt = performance.now();
    await flushByShell(workspace, url);
    return { seconds: (performance.now() - beganAt) / 1000, memoryMb: Number.NaN };
  };
}

async function inProcess(options: {
  workspace: Workspace;
  url: string;
  file: string;
  flusher: Flusher;
}): Promise<Measured> {
  const { workspace, url, file, flusher } = options;
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
