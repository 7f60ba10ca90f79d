import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { inWorkspace } from '../scripts/in-workspace.ts';
import { benchCache, type Progress } from './cache.ts';
import { CONTENDERS } from './contenders/contenders.ts';
import { cellLine, report } from './report.ts';
import { judge } from './targets.ts';

const ROUNDS = 7;
const SLOT_MS = 500;
const QUICK_ROUNDS = 3;
const QUICK_SLOT_MS = 300;

interface CacheOptions {
  readonly json?: string;
  readonly rounds?: number;
  readonly quick?: true;
  readonly assert?: true;
}

const program = new Command('bench').description('measurements beside peers, on servers of their own');

program
  .command('cache')
  .description('the cache runtime beside raw node-redis, ioredis and other cache libraries')
  .option('--json <file>', 'write the rows there, with machine and date')
  .option('--rounds <number>', `how often each is measured (default: ${ROUNDS})`, positiveInteger)
  .option('--quick', `${QUICK_ROUNDS} rounds of ${QUICK_SLOT_MS} ms: for a first impression`)
  .option('--assert', 'end with exit code 1 when a target is missed')
  .action(async ({ json, quick, rounds, assert }: CacheOptions) => {
    const result = await inWorkspace((workspace) =>
      benchCache(workspace, {
        libraries: Object.keys(CONTENDERS),
        rounds: rounds ?? (quick ? QUICK_ROUNDS : ROUNDS),
        slotMs: quick ? QUICK_SLOT_MS : SLOT_MS,
        progress: progressOn(process.stderr),
      }),
    );
    if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
    console.log(report(result));
    if (assert && judge(result.rows).some(({ met }) => !met)) process.exitCode = 1;
  });

await program.parseAsync();

/** On a terminal a step is a line that changes; elsewhere only what is finished is told. */
function progressOn(out: NodeJS.WriteStream): Progress {
  const clear = out.isTTY ? '\r\u001b[2K' : '';
  return {
    step: (text) => out.isTTY && out.write(`${clear}${text}`),
    cell: (rows) => out.write(`${clear}${cellLine(rows)}\n`),
  };
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It is not a whole number above 0.');
  return value;
}
