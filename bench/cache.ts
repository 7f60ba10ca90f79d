import { createClient } from 'redis';
import type { Workspace } from '../rehearsal/servers/workspace.ts';
import { type Bench, type Progress, stamped } from './bench.ts';
import { bundleProcesses } from './bundle.ts';
import { CELLS, type Cell, compare } from './cells.ts';
import { benchOutage } from './outage.ts';
import { cellLine } from './report.ts';
import type { Row } from './rows.ts';
import { startServers } from './servers.ts';
import { benchStampede } from './stampede.ts';
import type { LibraryWorker, Tasks } from './tasks.ts';
import { seedValues } from './values.ts';
import { startWorker } from './workers.ts';

export interface CacheBenchOptions {
  /** Who takes part; raw and ours among them, or there are no ratios and no verdict. */
  readonly libraries: readonly string[];
  readonly cells?: readonly Cell[];
  /** How often each contender is measured in each cell, and overrun by each stampede. */
  readonly rounds: number;
  readonly slotMs: number;
  readonly progress: Progress;
}

/**
 * Measures the runtime beside raw node-redis and other cache libraries: hits and misses interleaved on one Redis and
 * one PostgreSQL, stampedes, the race of the late fill, and a Redis that is frozen or killed.
 */
export async function benchCache(workspace: Workspace, options: CacheBenchOptions): Promise<Bench<Row>> {
  const { libraries, cells = CELLS, rounds, slotMs, progress } = options;
  progress.step('starting Redis, PostgreSQL and the contenders');
  const { redisUrl, databaseUrl } = await startServers(workspace);
  await seedValues(databaseUrl);
  const { worker: file } = await bundleProcesses(workspace, { worker: 'bench/worker.ts' });
  const start = (library: string) =>
    startWorker<Tasks>(workspace, {
      name: library,
      file,
      environment: { LIBRARY: library, REDIS_URL: redisUrl, DATABASE_URL: databaseUrl },
    });
  const admin = createClient({ url: redisUrl });
  await admin.connect();
  const workers: LibraryWorker[] = [];
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
    progress.done(cellLine(compared));
  }
  for (const worker of workers) {
    progress.step(`stampedes and late fills, ${worker.name}`);
    rows.push(await benchStampede([worker], rounds));
    const second = await start(worker.name);
    rows.push(await benchStampede([worker, second], rounds));
    await second.end();
    const outcomes = await worker.ask('lateFill', undefined);
    rows.push(
      ...outcomes.map((outcome) => ({ case: 'late-fill' as const, library: worker.name, ...outcome })),
    );
  }
  for (const kind of ['freeze', 'kill'] as const) {
    progress.step(`${kind} of Redis, every contender at once, each on a Redis of its own`);
    rows.push(...(await Promise.all(workers.map((worker) => benchOutage(workspace, worker, kind)))));
  }
  await admin.close();
  await Promise.all(workers.map((worker) => worker.end()));
  return stamped(rows);
}
