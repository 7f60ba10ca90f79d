import { benchConsole } from '../console/bench.ts';
import { reportConsole } from '../console/report.ts';
import type { ConsoleRow } from '../console/rows.ts';
import { judgeConsole } from '../console/targets.ts';
import { benchCommand } from './command.ts';

export const consoleCommand = benchCommand<ConsoleRow>({
  name: 'console',
  description: 'what the console costs a rehearsal that somebody watches',
  effort: { rounds: 9, slotMs: 20_000 },
  quick: { rounds: 2, slotMs: 8000 },
  run: (workspace, { rounds, slotMs, progress }) =>
    benchConsole(workspace, { rounds, seconds: slotMs / 1000, progress }),
  report: reportConsole,
  judge: judgeConsole,
});
