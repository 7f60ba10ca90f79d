import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../rehearsal/servers/redis.ts';
import type { Workspace } from '../rehearsal/servers/workspace.ts';
import type { OpenContender } from './contenders/contender.ts';
import type { OutageRow } from './rows.ts';
import type { LibraryWorker } from './tasks.ts';

/** Reads at a steady pace. */
export interface Reading {
  /** Of a Redis that will be away for a while. */
  readonly url: string;
  readonly durationMs: number;
  /** How long an answer is waited for after that. */
  readonly patienceMs: number;
}

export type OutageOutcome = Omit<OutageRow, 'case' | 'library'>;

const LOST: OutageOutcome = { reads: 0, threw: true, hanging: 0, longestWaitMs: 0, recovered: false };

const READ_EVERY_MS = 20;
const KEYS = 10;
const BEFORE_MS = 1000;
const OUTAGE_MS = 3000;
const AFTER_MS = 3000;
const PATIENCE_MS = 3000;

/** In the process of a contender: reads, and loads in no time, while somebody else stops or kills the Redis. */
export async function readThroughOutage(
  open: OpenContender,
  { url, durationMs, patienceMs }: Reading,
): Promise<OutageOutcome> {
  let loads = 0;
  const load = async () => {
    loads += 1;
    return { answer: 42 };
  };
  const { read } = await open({ url, load });
  const keys = Array.from({ length: KEYS }, (_, index) => `mocs:200:outage:${index}`);
  for (const key of keys) await read(key);

  let threw = false;
  const onUnhandled = () => {
    threw = true;
  };
  process.on('unhandledRejection', onUnhandled);
  const pending = new Map<number, number>();
  const waits: number[] = [];
  const readOnce = async (number: number) => {
    const begin = performance.now();
    pending.set(number, begin);
    try {
      await read(keys[number % KEYS] ?? '');
    } catch {
      threw = true;
    }
    pending.delete(number);
    waits.push(performance.now() - begin);
  };

  const end = performance.now() + durationMs;
  let reads = 0;
  for (; performance.now() < end; reads += 1) {
    void readOnce(reads);
    await sleep(READ_EVERY_MS);
  }
  for (const patient = performance.now() + patienceMs; pending.size > 0 && performance.now() < patient; ) {
    await sleep(READ_EVERY_MS);
  }
  const hanging = pending.size;
  for (const begin of pending.values()) waits.push(performance.now() - begin);
  const recovered = await hitsAgain();
  process.off('unhandledRejection', onUnhandled);
  return { reads, threw, hanging, longestWaitMs: Math.round(Math.max(...waits)), recovered };

  /** A key that was never read: the first read stores it, the second does not load it. */
  async function hitsAgain(): Promise<boolean> {
    const key = 'mocs:200:outage:after';
    const both = (async () => {
      await read(key);
      const loadsBefore = loads;
      await read(key);
      return loads === loadsBefore;
    })();
    return Promise.race([both.catch(() => false), sleep(patienceMs).then(() => false)]);
  }
}

/** Stops the Redis for 3 s, or kills it and starts it 3 s later, while the contender reads. Each has its own Redis. */
export async function benchOutage(
  workspace: Workspace,
  worker: LibraryWorker,
  kind: OutageRow['case'],
): Promise<OutageRow> {
  const redis = await startRedis(workspace);
  try {
    const durationMs = BEFORE_MS + OUTAGE_MS + AFTER_MS;
    const reading = worker
      .ask('readThroughOutage', { url: redis.url, durationMs, patienceMs: PATIENCE_MS })
      // A process that does not survive is an outcome, too, and none that should keep the others from being told.
      .catch((error: Error) => ({ ...LOST, error: error.message }));
    await sleep(BEFORE_MS);
    await redis.kill(kind === 'freeze' ? 'SIGSTOP' : 'SIGKILL');
    await sleep(OUTAGE_MS);
    if (kind === 'freeze') await redis.kill('SIGCONT');
    else await redis.restart();
    return { case: kind, library: worker.name, ...(await reading) };
  } finally {
    await redis.stop();
  }
}
