import { connectRedis } from '../../lambda/redis/connection.ts';
import { startRedis } from '../../rehearsal/servers/redis.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { type Bench, type Progress, stamped } from '../bench.ts';
import { bundleProcesses } from '../bundle.ts';
import { interleave, medianRatio } from '../interleave.ts';
import { median } from '../statistics.ts';
import { startWorker } from '../workers.ts';
import type { BystanderTasks } from './bystander.ts';
import { dueOf } from './keys.ts';
import { flushLine } from './report.ts';
import { FLUSHERS, type Flusher, type FlushRow, type FlushRun } from './rows.ts';
import { type Ground, runFlush } from './run.ts';

export interface FlushBenchOptions {
  /** How many keys all flushers are compared with. */
  readonly keys: number;
  /** With how many ours is measured besides, for the growth. */
  readonly growthKeys: readonly number[];
  readonly rounds: number;
  /** How long the bystander reads where nobody flushes. */
  readonly calmMs: number;
  readonly progress: Progress;
}

const PATIENCE_MS = 120_000;
const WARM_UP_KEYS = 20_000;

/** Measures ours beside the plain script and the shell's one-liner, on one Redis, freshly loaded for each run. */
export async function benchFlush(workspace: Workspace, options: FlushBenchOptions): Promise<Bench<FlushRow>> {
  const { keys, growthKeys, rounds, calmMs, progress } = options;
  progress.step('starting Redis');
  const { url } = await startRedis(workspace, { args: ['--enable-debug-command', 'local'] });
  const redis = connectRedis({ url, name: 'bench', deadlineMs: PATIENCE_MS });
  await redis.ready(PATIENCE_MS);
  const files = await bundleProcesses(workspace, {
    bystander: 'bench/flush/bystander.ts',
    flusher: 'bench/flush/flusher.ts',
  });
  const bystander = await startWorker<BystanderTasks>(workspace, {
    ...{ name: 'bystander', file: files.bystander },
    environment: { REDIS_URL: url },
  });
  const ground: Ground = { workspace, url, redis, bystander, file: files.flusher, calmMs };

  // What is warmed up is the machine, since each flush has a process of its own: once is enough for all.
  let warm: Promise<FlushRun> | undefined;
  const warmUp = (count: number) => {
    warm ??= runFlush(ground, 'unpaced', Math.min(count, WARM_UP_KEYS));
    return warm;
  };

  const measured = async (flushers: readonly Flusher[], count: number, times: number) => {
    const results = await interleave(flushers, {
      rounds: times,
      onRound: (round) => progress.step(`${count} keys, round ${round}/${times}`),
      measure: (flusher, round) => (round === 0 ? warmUp(count) : runFlush(ground, flusher, count)),
    });
    const rows = flushers.map((flusher) => rowOf(flusher, count, results));
    for (const row of rows) progress.done(flushLine(row));
    return rows;
  };

  const rows = await measured(FLUSHERS, keys, rounds);
  for (const count of growthKeys) rows.push(...(await measured(['unpaced'], count, rounds)));
  await bystander.end();
  redis.close();
  return stamped(rows);
}

function rowOf(flusher: Flusher, keys: number, results: ReadonlyMap<Flusher, readonly FlushRun[]>): FlushRow {
  const of = (who: Flusher, figure: (run: FlushRun) => number) => (results.get(who) ?? []).map(figure);
  const own = (figure: (run: FlushRun) => number) => median(of(flusher, figure));
  const speed = ({ seconds }: FlushRun) => dueOf(keys) / seconds;
  const p99 = ({ waits }: FlushRun) => waits.p99Ms;
  const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
  return {
    ...{ flusher, keys },
    seconds: rounded(
      own(({ seconds }) => seconds),
      3,
    ),
    deletedPerSecond: Math.round(own(speed)),
    memoryMb: rounded(Math.max(...of(flusher, ({ memoryMb }) => memoryMb)), 1),
    ratioToPlain: medianRatio(of(flusher, speed), of('plain', speed)),
    ratioToShell: medianRatio(of(flusher, speed), of('shell', speed)),
    calmerThanPlain: medianRatio(of('plain', p99), of(flusher, p99)),
    waits: {
      p50Ms: own(({ waits }) => waits.p50Ms),
      p99Ms: own(p99),
      maxMs: own(({ waits }) => waits.maxMs),
    },
  };
}
