import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { inWorkspace } from '../../scripts/in-workspace.ts';
import type { Bench, Progress, Target } from '../bench.ts';

/** How much is measured. */
export interface Effort {
  /** How often each contender is measured. */
  readonly rounds: number;
  /** How long it is measured in each round, where it is measured for a while. */
  readonly slotMs: number;
  /** How many keys there are, where that decides. */
  readonly keys?: number;
}

export interface BenchCommand<Row> {
  readonly name: string;
  readonly description: string;
  readonly effort: Effort;
  /** For a first impression. */
  readonly quick: Effort;
  run(workspace: Workspace, options: Effort & { readonly progress: Progress }): Promise<Bench<Row>>;
  report(bench: Bench<Row>): string;
  judge(rows: readonly Row[]): readonly Target[];
}

interface Flags {
  readonly json?: string;
  readonly rounds?: number;
  readonly quick?: true;
  readonly assert?: true;
}

/** A command that measures and prints its report; all of them have the same options. */
export function benchCommand<Row>(bench: BenchCommand<Row>): Command {
  const { name, description, effort, quick } = bench;
  return new Command(name)
    .description(description)
    .option('--json <file>', 'write the rows there, with machine and date')
    .option('--rounds <number>', `how often each is measured (default: ${effort.rounds})`, positiveInteger)
    .option('--quick', quickText(quick))
    .option('--assert', 'end with exit code 1 when a target is missed')
    .action(async (flags: Flags) => {
      const wanted = flags.quick ? quick : effort;
      const progress = progressOn(process.stderr);
      const result = await inWorkspace((workspace) =>
        bench.run(workspace, { ...wanted, rounds: flags.rounds ?? wanted.rounds, progress }),
      );
      if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(result, null, 2)}\n`);
      console.log(bench.report(result));
      if (flags.assert && bench.judge(result.rows).some(({ met }) => !met)) process.exitCode = 1;
    });
}

/** On a terminal a step is a line that changes; elsewhere only what is finished is told. */
function progressOn(out: NodeJS.WriteStream): Progress {
  const clear = out.isTTY ? '\r\u001b[2K' : '';
  return {
    step: (text) => out.isTTY && out.write(`${clear}${text}`),
    done: (text) => out.write(`${clear}${text}\n`),
  };
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It is not a whole number above 0.');
  return value;
}

function quickText({ rounds, slotMs, keys }: Effort): string {
  const what = keys === undefined ? `of ${slotMs} ms` : `with ${keys} keys`;
  return `${rounds} rounds ${what}: for a first impression`;
}
