import { Command, Option } from 'commander';
import { environmentName } from '../lambda/cache/phase.ts';
import { readSwitch } from '../lambda/contract/switches.ts';
import { DEFAULT_LIMIT_SECONDS } from '../lambda/flush/flush.ts';
import { planFlush } from '../lambda/flush/plan/plan.ts';
import { targetOf } from '../lambda/flush/target.ts';
import { type PassFlags, withPassOptions } from './pass-options.ts';
import { runFlush } from './run-flush.ts';

/** The namespaces by the names that the command line has for them. */
const NAMESPACES: Readonly<Record<string, (env: string) => string>> = {
  none: () => '',
  v2: () => 'v2:',
  cw: (env) => `cw:${env}:`,
};

interface Flags extends PassFlags {
  readonly pattern?: string[];
  readonly preserve?: string[];
  readonly namespace?: string;
  readonly yesEverything?: true;
  readonly dryRun?: true;
}

const described = new Command('flush')
  .description('delete the cached collections in every namespace; sessions and quotas stay')
  .option('--pattern <glob...>', "flush these instead of the registry's families, such as 'mocs:*'")
  .option('--preserve <glob...>', 'keep these, too, whatever else matches them')
  .addOption(
    new Option('--namespace <name>', 'only the keys in this one, for a way back').choices(
      Object.keys(NAMESPACES),
    ),
  )
  .option('--yes-everything', 'patterns that match every key are meant')
  .option('--dry-run', 'count, measure and show some keys, delete nothing (or DRY_RUN=true)');

export const flushCommand = withPassOptions(described, DEFAULT_LIMIT_SECONDS)
  .addHelpText(
    'after',
    `
A pattern is a glob as Redis reads it (* ? [a-z] [^x] \\), of a key without its namespace: mocs:* means mocs:1, v2:mocs:1 and
cw:{NODE_ENV}:mocs:1; v2:mocs:* means the key as it is stored. What is preserved stays, whatever else matches it. Running it
again, after its limit or not, goes on.

Environment: REDIS_URL and NODE_ENV (required; the latter names the namespace cw:{NODE_ENV}:), REDIS_CLUSTER, REDIS_AUTH, DRY_RUN.
Exit codes: 0 done, 1 failed or stopped at the limit, 2 bad usage.`,
  )
  .action(async (flags: Flags) => {
    const target = targetOf(process.env, 'flush');
    const env = environmentName(process.env['NODE_ENV']);
    const onlyNamespace = flags.namespace === undefined ? undefined : NAMESPACES[flags.namespace]?.(env);
    const plan = planFlush({
      env,
      patterns: flags.pattern,
      preserve: flags.preserve,
      everything: flags.yesEverything,
      ...(onlyNamespace !== undefined && { onlyNamespace }),
    });
    const { maxLatencyMs, limitSeconds } = flags;
    const dryRun = flags.dryRun === true || readSwitch(process.env, 'DRY_RUN');
    await runFlush({ target, plan, dryRun, maxLatencyMs, limitSeconds }, { json: flags.json === true });
  });
