import { Command, Option } from 'commander';
import type { ConsoleSource } from '../rehearsal/console/contract.ts';
import {
  MIGRATIONS,
  type Migration,
  parseStages,
  parseWhole,
  type RehearsalOptions,
  UsageError,
} from '../rehearsal/options.ts';
import { inWorkspace } from './in-workspace.ts';
import { prepareReports, writeReports } from './rehearsal-reports.ts';

interface Flags {
  readonly migration: Migration;
  readonly seconds: string;
  readonly stages: string;
  readonly users: string;
  readonly seed?: string;
  readonly naive?: true;
  readonly headless?: true;
  readonly report?: string;
  readonly console: boolean;
  readonly consolePort?: string;
  readonly open: boolean;
}

export const rehearseCommand = new Command('rehearse')
  .description('rehearse a whole cutover on this machine, and count the stale reads')
  .allowExcessArguments(true)
  .addOption(
    new Option(
      '--migration <name>',
      'v2: traffic moves to the serverless backend; cw: its keys move to cw:{NODE_ENV}:, and back',
    )
      .choices(MIGRATIONS)
      .default('v2'),
  )
  .option('--seconds <n>', 'how long traffic runs, divided among the stages or steps', '90')
  .option(
    '--stages <list>',
    "the serverless backend's share of the traffic, in percent, growing (v2)",
    '5,25,50,100',
  )
  .option('--users <n>', 'how many users, with two devices each', '100')
  .option('--seed <n>', 'decides who is where and who does what (default: drawn, and printed)')
  .option('--naive', 'the plain way, for comparison: a prefix, no lease, no mirror (v2)')
  .option('--report <dir>', 'write report.json there, and report.html, the console as it was at the end')
  .option('--console-port <n>', 'where the console is served (default: a free port, printed)')
  .option('--no-console', 'serve no console')
  .option('--no-open', 'do not open the console in a browser')
  .addOption(new Option('--headless', 'plain lines instead of a line that changes'))
  .addHelpText(
    'after',
    `
Environment: REDIS_URL and DATABASE_URL name servers on this machine; without them it starts its own.
A server that is named is used as it is: its cached collections are flushed, and what the users left is removed. With --migration cw
no REDIS_URL may be named: others' sessions in it would be carried, too.
Exit codes: 0 the cutover passed, 1 it failed, 2 bad usage.`,
  )
  .action(async (flags: Flags, command: Command) => {
    requireNoArguments(command.args);
    const options = parse(flags);
    if (flags.migration === 'cw' && command.getOptionValueSource('stages') !== 'default') {
      throw new UsageError(
        'rehearse: --stages are those of --migration v2; leave it out with --migration cw',
      );
    }
    const serve = consoleOf(flags);
    if (flags.report !== undefined) await prepareReports(flags.report);
    // Here and not above: --help has no need of servers.
    const { rehearse } = await import('../rehearsal/rehearse.ts');
    let source: ConsoleSource | undefined;
    const report = await inWorkspace((workspace, signal) =>
      rehearse(options, {
        workspace,
        signal,
        environment: process.env,
        out: process.stdout,
        columns: process.stdout.columns,
        live: process.stdout.isTTY === true && !flags.headless,
        onSource(given) {
          source = given;
          return serve(given);
        },
      }),
    );
    if (flags.report !== undefined && source) await writeReports(flags.report, report, source);
    process.exitCode = report.verdict === 'pass' ? 0 : 1;
  });

/** `npm start --seconds 40` keeps the option for npm and hands over the 40. */
function requireNoArguments([first]: readonly string[]): void {
  if (first === undefined) return;
  throw new UsageError(
    `rehearse: ${JSON.stringify(first)} is no option; with npm, options come after two dashes: npm start -- --seconds 40`,
  );
}

const MAX_SEED = 2 ** 31 - 1;

function parse(flags: Flags): RehearsalOptions {
  const seed = flags.seed ?? String(Math.floor(Math.random() * 100_000));
  return {
    migration: flags.migration,
    seconds: parseWhole('--seconds', flags.seconds, { min: 5, max: 24 * 3600 }),
    stages: parseStages(flags.stages),
    users: parseWhole('--users', flags.users, { min: 1, max: 10_000 }),
    seed: parseWhole('--seed', seed, { min: 0, max: MAX_SEED }),
    mode: flags.naive ? 'naive' : 'coherent',
  };
}

/** @returns what serves the console, and opens it where somebody sits. @throws UsageError for a port that is none. */
function consoleOf({ console: isWanted, consolePort, open }: Flags) {
  const port =
    consolePort === undefined
      ? undefined
      : parseWhole('--console-port', consolePort, { min: 1, max: 65_535 });
  return async (source: ConsoleSource) => {
    if (!isWanted) return undefined;
    const { startConsole } = await import('../rehearsal/console/server.ts');
    const served = await startConsole({ source, port });
    if (open) {
      const { openBrowser } = await import('../rehearsal/console/open-browser.ts');
      void openBrowser(served.url);
    }
    return served;
  };
}
