import { Command, Option } from 'commander';
import { environmentName } from '../lambda/cache/phase.ts';
import { readSwitch } from '../lambda/contract/switches.ts';
import { NAMESPACE_NAMES, NAMESPACES } from '../lambda/flush/event.ts';
import { DEFAULT_LIMIT_SECONDS } from '../lambda/flush/flush.ts';
import { planFlush } from '../lambda/flush/plan/plan.ts';
import { targetOf } from '../lambda/flush/target.ts';
import { UsageError } from '../rehearsal/options.ts';
import { type PassFlags, withPassOptions } from './pass-options.ts';
import { runFlush } from './run-flush.ts';
import { requireOneRedis, STAGE_HELP, type StageFlag, withStage } from './stage-option.ts';

interface Flags extends PassFlags, StageFlag {
  readonly pattern?: string[];
  readonly preserve?: string[];
  readonly namespace?: keyof typeof NAMESPACES;
  readonly yesEverything?: true;
  readonly dryRun?: true;
}

const described = new Command('flush')
  .description('delete the cached collections in every namespace; sessions and quotas stay')
  .option('--pattern <glob...>', "flush these instead of the registry's families, such as 'mocs:*'")
  .option('--preserve <glob...>', 'keep these, too, whatever else matches them')
  .addOption(
    new Option('--namespace <name>', 'only the keys in this one, for a way back').choices(NAMESPACE_NAMES),
  )
  .option('--yes-everything', 'patterns that match every key are meant')
  .option('--dry-run', 'count, measure and show some keys, delete nothing (or DRY_RUN=true)');

export const flushCommand = withStage(withPassOptions(described, DEFAULT_LIMIT_SECONDS))
  .addHelpText(
    'after',
    `
A pattern is a glob as Redis reads it (* ? [a-z] [^x] \\), of a key without its namespace: mocs:* means mocs:1, v2:mocs:1 and
cw:{NODE_ENV}:mocs:1; v2:mocs:* means the key as it is stored. What is preserved stays, whatever else matches it. Running it
again, after its limit or not, goes on.

Environment: REDIS_URL and NODE_ENV (required; the latter names the namespace cw:{NODE_ENV}:), REDIS_CLUSTER, REDIS_AUTH, DRY_RUN.
${STAGE_HELP} DRY_RUN is
read here, and what the scheduled flush of the stage does is of no account.
Exit codes: 0 done, 1 failed or stopped at the limit, 2 bad usage.`,
  )
  .action(async (flags: Flags) => {
    if (flags.stage !== undefined) return flushStage(flags.stage, flags);
    const target = targetOf(process.env, 'flush');
    const env = environmentName(process.env['NODE_ENV']);
    const onlyNamespace = flags.namespace === undefined ? undefined : NAMESPACES[flags.namespace](env);
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

/** Has the stage's operator do it. */
async function flushStage(stage: string, flags: Flags): Promise<void> {
  requireOneRedis('flush', stage);
  if (flags.yesEverything) {
    throw new UsageError(
      'flush: --yes-everything does not go with --stage: the operator’s user may delete the flushed families and nothing else; leave it out',
    );
  }
  const { pattern, preserve, namespace, maxLatencyMs, limitSeconds } = flags;
  const dryRun = flags.dryRun === true || readSwitch(process.env, 'DRY_RUN');
  // Not above: the AWS SDK is much to load for who does not use it.
  const { flushByStage } = await import('./by-stage.ts');
  await flushByStage({
    ...{ stage, limitSeconds, json: flags.json === true },
    event: {
      ...{ command: 'flush', dryRun, survey: dryRun, maxLatencyMs },
      ...(pattern && { patterns: pattern }),
      ...(preserve && { preserve }),
      ...(namespace && { namespace }),
    },
  });
}
