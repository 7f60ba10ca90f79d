import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import colors from 'picocolors';
import { DEFAULT_COMPARE_PATHS } from '../lambda/contract/rollout.ts';
import { backendAt } from '../lambda/rollout/compare/backend.ts';
import { compare, requireSame } from '../lambda/rollout/compare/compare.ts';
import { parseWhole, UsageError } from '../rehearsal/options.ts';
import { stageName } from './stage-option.ts';

interface Flags {
  readonly stage?: string;
  readonly legacy?: string;
  readonly serverless?: string;
  readonly host?: string;
  readonly paths?: string;
  readonly sample: string;
  readonly json?: true;
}

export const compareCommand = new Command('compare')
  .description('ask both backends the same, and compare what they answer')
  .option('--stage <name>', 'the backends of a stage, as its weighted records name them', stageName)
  .option('--legacy <url>', 'instead: where the legacy backend is')
  .option('--serverless <url>', 'and where the serverless one is')
  .option('--host <name>', 'the name that clients know, if it is not in the URLs')
  .option('--paths <file>', 'a file with one path a line, as from an access log (default: the public flags)')
  .option('--sample <number>', 'so many of them, drawn by chance', '100')
  .option('--json', 'print it as JSON')
  .addHelpText(
    'after',
    `
Only GETs, without a token. Compared are status and JSON, whatever the order of fields; of what differs the place is named and not the
value, which may be a person's. A difference counts when it is there three times in a row.
With --stage the credentials need cloudformation:DescribeStacks and route53:ListResourceRecordSets.
Exit codes: 0 all alike, 1 one differs or a backend does not answer, 2 bad usage.`,
  )
  .action(async (flags: Flags) => {
    const samplePaths = parseWhole('--sample', flags.sample, { min: 1, max: 10_000, origin: 'compare' });
    const [backends, paths] = [await backendsOf(flags), await pathsOf(flags.paths)];
    const host = flags.host ?? backends.host;
    const comparison = await compare({
      legacy: backendAt({ url: backends.legacy, host, variable: '--legacy' }),
      serverless: backendAt({ url: backends.serverless, host, variable: '--serverless' }),
      ...{ paths, samplePaths },
    });
    if (flags.json) console.log(JSON.stringify(comparison, null, 2));
    for (const { path, where } of flags.json ? [] : comparison.differences) {
      console.log(`${colors.red('differs')}  GET ${path}  ${where}`);
    }
    const { text } = requireSame(comparison);
    if (!flags.json) console.log(`${colors.green('alike')}    ${text}`);
  });

interface Backends {
  readonly legacy: string;
  readonly serverless: string;
  readonly host?: string;
}

/** @throws UsageError unless one way of naming them is used. */
async function backendsOf({ stage, legacy, serverless }: Flags): Promise<Backends> {
  if (stage !== undefined && legacy === undefined && serverless === undefined) {
    const { backendsOfStage } = await import('./aws/rollout/backends.ts');
    return backendsOfStage(stage);
  }
  if (stage === undefined && legacy !== undefined && serverless !== undefined) return { legacy, serverless };
  throw new UsageError('compare: which backends? name --stage, or both --legacy and --serverless');
}

/** @throws UsageError for a file that is not there, or a line that is no path. */
async function pathsOf(file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return DEFAULT_COMPARE_PATHS;
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`compare: --paths ${file}: ${error.message}`);
  });
  const paths = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const wrong = paths.find((path) => !/^\/(?!\/)\S*$/.test(path));
  if (wrong !== undefined) {
    throw new UsageError(
      `compare: --paths ${file} has ${JSON.stringify(wrong)}; it must be a path as /api/config/flags`,
    );
  }
  if (paths.length === 0) throw new UsageError(`compare: --paths ${file} is empty; name one path a line`);
  return paths;
}
