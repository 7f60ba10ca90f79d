import { startPostgres } from '../../rehearsal/servers/postgres.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { type Bench, type Progress, stamped } from '../bench.ts';
import { bundleProcesses } from '../bundle.ts';
import { interleave } from '../interleave.ts';
import { median } from '../statistics.ts';
import { consoleLine } from './report.ts';
import { type ConsoleRow, WATCHING } from './rows.ts';
import { type ConsoleRun, runRehearsal } from './run.ts';

export interface ConsoleBenchOptions {
  readonly rounds: number;
  /** How long traffic runs in each rehearsal. */
  readonly seconds: number;
  readonly progress: Progress;
}

/** What the console costs the process that rehearses: rehearsals with somebody who looks, and without a console. */
export async function benchConsole(
  workspace: Workspace,
  { rounds, seconds, progress }: ConsoleBenchOptions,
): Promise<Bench<ConsoleRow>> {
  progress.step('starting PostgreSQL');
  const postgres = await startPostgres(workspace);
  const databaseUrl = await postgres.createDatabase('bench');
  const { viewer: file } = await bundleProcesses(workspace, { viewer: 'bench/console/viewer.ts' });
  const results = await interleave(WATCHING, {
    rounds,
    onRound: (round) => progress.step(`round ${round}/${rounds}`),
    measure: (watching) => runRehearsal({ workspace, databaseUrl, file, seconds }, watching),
  });
  const of = (runs: readonly ConsoleRun[] = []) => runs.map(({ cpuUsPerRequest }) => cpuUsPerRequest);
  const without = of(results.get('nobody'));
  const rows = WATCHING.map((watching) => {
    const runs = results.get(watching) ?? [];
    return {
      watching,
      cpuUsPerRequest: Math.round(median(of(runs))),
      requests: median(runs.map(({ requests }) => requests)),
      // To more decimals than medianRatio: the promise is about hundredths.
      ratio: Number(median(of(runs).map((cpu, round) => cpu / (without[round] ?? Number.NaN))).toFixed(3)),
    };
  });
  for (const row of rows) progress.done(consoleLine(row));
  return stamped(rows);
}
