import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { type Bench, type Progress, stamped } from '../bench.ts';
import { bundleProcesses } from '../bundle.ts';
import type { Servers } from '../servers.ts';
import { startWorker } from '../workers.ts';
import { buildBundles } from './bundles.ts';
import { benchColdStarts } from './cold-starts.ts';
import { seedFlags } from './flags.ts';
import { startHosts } from './hosts.ts';
import type { LoadTasks } from './load.ts';
import { benchReads } from './reads.ts';
import { bundleLine, readsLine } from './report.ts';
import type { ApiRow } from './rows.ts';

export interface ApiBenchOptions extends Servers {
  /** How often each contender is measured in each cell, and how often each bundle is started. */
  readonly rounds: number;
  readonly slotMs: number;
  /** How many keep-alive connections there are in each cell. Default: 1, and 50. */
  readonly cells?: readonly number[];
  readonly progress: Progress;
}

const CELLS: readonly number[] = [1, 50];

/**
 * Measures the API as it is deployed: reads of cached flags over HTTP, beside the same bundle without a cache and
 * beside a handler that answers a constant; and each bundle's cold start and size.
 */
export async function benchApi(
  workspace: Workspace,
  { rounds, slotMs, cells = CELLS, progress, ...servers }: ApiBenchOptions,
): Promise<Bench<ApiRow>> {
  progress.step('bundling, and starting the contenders');
  await seedFlags(servers.databaseUrl);
  const bundles = buildBundles();
  const files = await bundleProcesses(workspace, {
    host: 'rehearsal/host/main.ts',
    load: 'bench/api/load.ts',
    coldStart: 'bench/api/cold-start.ts',
  });
  const load = await startWorker<LoadTasks>(workspace, { name: 'load', file: files.load });
  const hosts = await startHosts(workspace, { file: files.host, bundles, ...servers });

  const rows: ApiRow[] = [];
  for (const connections of cells) {
    const onRound = (round: number) =>
      progress.step(`flag reads, ${connections} in flight, round ${round}/${rounds}`);
    const reads = await benchReads(hosts, { load, connections, rounds, slotMs, onRound });
    rows.push(...reads);
    progress.done(readsLine(reads));
  }
  await Promise.all([load, ...hosts].map((each) => each.end()));

  const onRound = (round: number) => progress.step(`cold starts, round ${round}/${rounds}`);
  const starts = await benchColdStarts(workspace, {
    file: files.coldStart,
    bundles,
    rounds,
    onRound,
    ...servers,
  });
  progress.done(bundleLine(starts));
  return stamped([...rows, ...starts]);
}
