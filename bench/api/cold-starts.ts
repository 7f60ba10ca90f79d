import type { FunctionName } from '../../lambda/contract/environment.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { interleave } from '../interleave.ts';
import { endProcess, startProcess } from '../processes.ts';
import type { Servers } from '../servers.ts';
import { median } from '../statistics.ts';
import { type Bundles, sizeKbOf } from './bundles.ts';
import type { ColdStart } from './cold-start.ts';
import { environmentOf } from './flags.ts';
import type { BundleName, BundleRow } from './rows.ts';

interface ColdStarts extends Servers {
  /** The process of one start, to run. */
  readonly file: string;
  readonly bundles: Bundles;
  readonly rounds: number;
  readonly onRound?: (round: number) => void;
}

/** Whose handlers answer requests; the other ones flush, migrate or dispatch, and are only imported. */
const ANSWERING: ReadonlySet<BundleName> = new Set<FunctionName | 'bare'>(['bare', 'api']);

/**
 * Starts a process with each bundle, interleaved. The first answer of the API is a flag that Redis holds.
 * @throws when a bundle cannot be imported, or does not answer 200.
 */
export async function benchColdStarts(
  workspace: Workspace,
  { file, bundles, rounds, onRound, ...servers }: ColdStarts,
): Promise<BundleRow[]> {
  const names = Object.keys(bundles) as BundleName[];
  const untilOf = (name: BundleName) => (ANSWERING.has(name) ? 'answered' : 'imported');
  const starts = await interleave(names, {
    rounds,
    ...(onRound && { onRound }),
    async measure(name) {
      const { child, message } = await startProcess<ColdStart>(workspace, {
        name,
        args: [file, bundles[name], untilOf(name)],
        environment: environmentOf(servers),
      });
      await endProcess(child);
      return message.startMs;
    },
  });
  const bare = starts.get('bare') ?? [];
  return [...starts].map(([name, each]) => ({
    case: 'bundle',
    bundle: name,
    sizeKb: sizeKbOf(bundles[name]),
    until: untilOf(name),
    startMs: rounded(median(each)),
    overBareMs: rounded(median(each.map((startMs, round) => startMs - (bare[round] ?? Number.NaN)))),
  }));
}

const rounded = (ms: number) => Math.round(ms * 10) / 10;
