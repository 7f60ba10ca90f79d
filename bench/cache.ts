import os from 'node:os';
import { createClient } from 'redis';
import { startPostgres } from '../rehearsal/servers/postgres.ts';
import { startRedis } from '../rehearsal/servers/redis.ts';
import type { Workspace } from '../rehearsal/servers/workspace.ts';
import { bundleWorker } from './bundle.ts';
import { CELLS, type Cell, compare } from './cells.ts';
import { benchOutage } from './outage.ts';
import type { CacheBench, Row, ThroughputRow } from './rows.ts';
import { benchStampede } from './stampede.ts';
import { seedValues } from './values.ts';
import { startWorker, type Worker } from './workers.ts';

export interface CacheBenchOptions {
  /** Who takes part; raw and ours among them, or there are no ratios and no verdict. */
  readonly libraries: readonly string[];
  readonly cells?: readonly Cell[];
  /** How often each contender is measured in each cell, and overrun by each stampede. */
  readonly rounds: number;
  readonly slotMs: number;
  readonly progress: Progress;
}

/** Told how far the run is. */
export interface Progress {
  /** What happens now; the next step takes its place. */
  step(text: string): void;
  cell(rows: readonly ThroughputRow[]): void;
}

/**
 * Measures the runtime beside raw node-redis and other cache libraries: hits and misses interleaved on one Redis and
 * one PostgreSQL, stampedes, the race of the late fill, and a Redis that is frozen or killed.
 */
export async function benchCache(workspace: Workspace, options: CacheBenchOptions): Promise<CacheBench> {
  const { libraries, cells = CELLS, rounds, slotMs, progress } = options;
  progress.step('starting Redis, PostgreSQL and the contenders');
  const [redis, postgres] = await Promise.all([startRedis(workspace), startPostgres(workspace)]);
  const databaseUrl = await postgres.createDatabase('bench');
  await seedValues(databaseUrl);
  const file = await bundleWorker(workspace);
  const start = (library: string) =>
    startWorker(workspace, {
      file,
      environment: { LIBRARY: library, REDIS_URL: redis.url, DATABASE_URL: databaseUrl },
    });
  const admin = createClient({ url: redis.url });
  await admin.connect();
  const workers: Worker[] = [];
  for (const library of libraries) workers.push(await start(library));

  const rows: Row[] = [];
  for (const cell of cells) {
    const { case: kind, valueBytes, inFlight } = cell;
    const compared = await compare(cell, workers, {
      rounds,
      slotMs,
      flush: () => admin.flushAll(),
      onRound: (round) =>
        progress.step(`${kind} ${valueBytes} B ${inFlight} in flight, round ${round}/${rounds}`),
    });
    rows.push(...compared);
    progress.cell(compared);
  }
  for (const worker of workers) {
    progress.step(`stampedes and late fills, ${worker.library}`);
    rows.push(await benchStampede([worker], rounds));
    const second = await start(worker.library);
    rows.push(await benchStampede([worker, second], rounds));
    await second.end();
    const outcomes = await worker.ask('lateFill', undefined);
    rows.push(
      ...outcomes.map((outcome) => ({ case: 'late-fill' as const, library: worker.library, ...outcome })),
    );
  }
  for (const kind of ['freeze', 'kill'] as const) {
    progress.step(`${kind} of Redis, every contender at once, each on a Redis of its own`);
    rows.push(...(await Promise.all(workers.map((worker) => benchOutage(workspace, worker, kind)))));
  }
  await admin.close();
  await Promise.all(workers.map((worker) => worker.end()));
  const machine = `${os.cpus().length} x ${os.cpus()[0]?.model}, Node ${process.versions.node}`;
  return { machine, date: new Date().toISOString().slice(0, 10), rows };
}
