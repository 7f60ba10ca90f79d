import { benchFlush } from '../flush/bench.ts';
import { reportFlush } from '../flush/report.ts';
import type { FlushRow } from '../flush/rows.ts';
import { judgeFlush } from '../flush/targets.ts';
import { benchCommand } from './command.ts';

const [FEW, MANY, VERY_MANY] = [100_000, 1_000_000, 5_000_000];

export const flushCommand = benchCommand<FlushRow>({
  name: 'flush',
  description: "the flush beside the plain script and the shell's one-liner, and what a bystander feels",
  effort: { rounds: 3, slotMs: 1000, keys: MANY },
  quick: { rounds: 1, slotMs: 1000, keys: FEW },
  run: (workspace, { rounds, slotMs, keys = MANY, progress }) =>
    benchFlush(workspace, {
      ...{ keys, rounds, calmMs: slotMs, progress },
      growthKeys: keys === MANY ? [FEW, VERY_MANY] : [],
    }),
  report: reportFlush,
  judge: judgeFlush,
});
