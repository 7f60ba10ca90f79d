import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { inWorkspace } from '../scripts/in-workspace.ts';
import { benchCache } from './cache.ts';

const program = new Command('bench').description(
  'measurements beside plain node-redis, on servers of their own',
);

program
  .command('cache')
  .description('hits and misses of the cache runtime, as ratios to plain node-redis')
  .option('--json <file>', 'write the rows there, with machine and date')
  .action(async ({ json }: { json?: string }) => {
    const result = await inWorkspace((workspace) =>
      benchCache(workspace, ({ case: kind, valueBytes, inFlight, library, opsPerSecond, ratioToRaw }) => {
        const columns = [kind.padEnd(5), `${valueBytes} B`.padStart(8), `${inFlight} in flight`.padStart(14)];
        console.log(...columns, library.padEnd(5), `${opsPerSecond}/s`.padStart(9), ratioToRaw.toFixed(2));
      }),
    );
    console.log(`${result.machine}, ${result.date}`);
    if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
  });

await program.parseAsync();
