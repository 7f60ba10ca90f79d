import { Argument, Command } from 'commander';
import { environmentName, familiesIn, phaseOf } from '../lambda/cache/phase.ts';
import { readSwitch } from '../lambda/contract/switches.ts';
import { DEFAULT_LIMIT_SECONDS } from '../lambda/flush/flush.ts';
import { CLEANUP_TARGETS, type CleanupTarget, planCleanup } from '../lambda/flush/plan/cleanup.ts';
import { targetOf } from '../lambda/flush/target.ts';
import { type PassFlags, withPassOptions } from './pass-options.ts';
import { runFlush } from './run-flush.ts';
import { requireOneRedis, STAGE_HELP, type StageFlag, withStage } from './stage-option.ts';

interface Flags extends PassFlags, StageFlag {
  readonly legacyStopped?: true;
  readonly dryRun?: true;
}

const described = new Command('cleanup')
  .description('delete the cached keys that a migration leaves behind; sessions and quotas stay')
  .addArgument(
    new Argument('<target>', 'un-prefixed keys, v2:, cw:{NODE_ENV}: or v1:').choices(CLEANUP_TARGETS),
  )
  .option('--legacy-stopped', 'for legacy: the Express service is stopped, on every host')
  .option('--dry-run', 'count, measure and show some keys, delete nothing (or DRY_RUN=true)');

export const cleanupCommand = withStage(withPassOptions(described, DEFAULT_LIMIT_SECONDS))
  .addHelpText(
    'after',
    `
At the end of a migration, in this order:
  1. stop Express
  2. cutover cleanup legacy --legacy-stopped   un-prefixed keys; refused in the phases legacy and dual
  3. deploy MIGRATION_MODE=false
  4. cutover cleanup v2                        refused in the phase isolated
  5. cutover cleanup v1                        v1:*, what an earlier migration has left; never refused
After the way back from the cw phases: cutover cleanup cw (refused in the phases dual and prefixed).

Only cache families of lambda/contract/families.ts go; a family with a phase of its own goes by that one. v1 deletes whatever
begins with v1: except v1:sessions:* and the like. Running it again, after its limit or not, goes on.

Environment: REDIS_URL and NODE_ENV (required), REDIS_CLUSTER, REDIS_AUTH, DRY_RUN; MIGRATION_MODE, CW_CACHE_PREFIX_ENABLED and
CW_CACHE_DUAL_WRITE as they are deployed: they select the phase.
${STAGE_HELP} DRY_RUN is
read here.
Exit codes: 0 done, 1 failed or stopped at the limit, 2 bad usage, or refused because somebody still reads the keys.`,
  )
  .action(async (target: CleanupTarget, flags: Flags) => {
    if (flags.stage !== undefined) return cleanUpStage({ ...flags, stage: flags.stage, target });
    const { maxLatencyMs, limitSeconds } = flags;
    const dryRun = flags.dryRun === true || readSwitch(process.env, 'DRY_RUN');
    const redis = targetOf(process.env, 'cleanup');
    const { plan, inUse } = planCleanup({
      target,
      phase: phaseOf(process.env),
      env: environmentName(process.env['NODE_ENV']),
      families: familiesIn(process.env),
      legacyStopped: flags.legacyStopped === true,
    });
    if (inUse.length > 0) console.error(`cleanup: ${inUse.join(', ')} stay: their own phase reads there`);
    await runFlush(
      { target: redis, plan, dryRun, maxLatencyMs, limitSeconds },
      { json: flags.json === true },
    );
  });

/** Has the stage's operator do it. */
async function cleanUpStage(flags: Flags & { stage: string; target: CleanupTarget }): Promise<void> {
  const { stage, target } = flags;
  requireOneRedis('cleanup', stage);
  const { maxLatencyMs, limitSeconds, legacyStopped = false } = flags;
  const dryRun = flags.dryRun === true || readSwitch(process.env, 'DRY_RUN');
  // Not above: the AWS SDK is much to load for who does not use it.
  const { flushByStage } = await import('./by-stage.ts');
  await flushByStage({
    ...{ stage, limitSeconds, json: flags.json === true },
    event: { command: 'cleanup', target, legacyStopped, dryRun, survey: dryRun, maxLatencyMs },
  });
}
