import { Command, Option } from 'commander';
import colors from 'picocolors';
import { environmentName, familiesIn, phaseOf } from '../lambda/cache/phase.ts';
import { readSwitch } from '../lambda/contract/switches.ts';
import { targetOf } from '../lambda/flush/target.ts';
import {
  type BackfillProgress,
  type BackfillReport,
  backfill,
  DEFAULT_BACKFILL_LIMIT_SECONDS,
  requireCarried,
} from '../lambda/stores/backfill/backfill.ts';
import { BACKFILL_TARGETS, type BackfillTarget, planBackfill } from '../lambda/stores/backfill/plan.ts';
import { type PassFlags, withPassOptions } from './pass-options.ts';
import { countText, progressText, table } from './text.ts';
import { createTicker } from './ticker.ts';

interface Flags extends PassFlags {
  readonly to: BackfillTarget;
  readonly dryRun?: true;
}

const described = new Command('backfill')
  .description(
    'give the keys of sessions and other state to the home that a migration goes to; deletes nothing',
  )
  .addOption(
    new Option('--to <home>', 'cw:{NODE_ENV}:, or the un-prefixed keys for a way back')
      .choices(BACKFILL_TARGETS)
      .makeOptionMandatory(),
  )
  .option('--dry-run', 'count what would be carried, change nothing (or DRY_RUN=true)');

export const backfillCommand = withPassOptions(described, DEFAULT_BACKFILL_LIMIT_SECONDS)
  .addHelpText(
    'after',
    `
In the phase dual, before the step that leaves it, so that nobody is logged out: --to prefixed before CW_CACHE_DUAL_WRITE=0,
--to legacy before CW_CACHE_PREFIX_ENABLED=0. Only families of state of lambda/contract/families.ts are carried, each key with the time
when it ends. What is there already stays; of sessions the newer version wins, and one that has ended stays so; sets are united;
analytics are added up. Points of rate limits are not carried: they count in both homes. Running it again changes nothing.

Environment: REDIS_URL and NODE_ENV (required), REDIS_CLUSTER, REDIS_AUTH, DRY_RUN; MIGRATION_MODE, CW_CACHE_PREFIX_ENABLED and
CW_CACHE_DUAL_WRITE as they are deployed: they select the phase.
Exit codes: 0 done, 1 failed or stopped at the limit, 2 bad usage, or refused in another phase than dual.`,
  )
  .action(async ({ to, maxLatencyMs, limitSeconds, ...flags }: Flags) => {
    const json = flags.json === true;
    const dryRun = flags.dryRun === true || readSwitch(process.env, 'DRY_RUN');
    const target = targetOf(process.env, 'backfill');
    const plan = planBackfill({
      to,
      phase: phaseOf(process.env),
      env: environmentName(process.env['NODE_ENV']),
      families: familiesIn(process.env),
    });
    const ticker = createTicker(process.stderr.isTTY && !json);
    const report = await backfill({
      ...{ target, plan, dryRun, maxLatencyMs, limitSeconds },
      onProgress: (progress) => ticker.show(() => progressLine(progress, dryRun)),
      onRestart: (why) => ticker.say(`${why.message}; trying again`),
    }).finally(ticker.end);
    if (json) {
      const { positions: _positions, ...figures } = report;
      console.log(JSON.stringify({ to, dryRun, ...figures }, null, 2));
    } else console.log(describe(report, { to, dryRun, env: plan.env }));
    requireCarried(report, { dryRun });
  });

const progressLine = ({ scanned, keys, carried }: BackfillProgress, dryRun: boolean): string =>
  `${progressText(scanned, keys)}, ${countText(carried)} ${dryRun ? 'due' : 'carried'}`;

interface Described {
  readonly to: BackfillTarget;
  readonly dryRun: boolean;
  readonly env: string;
}

function describe(report: BackfillReport, { to, dryRun, env }: Described): string {
  const { carried, scanned, seconds, families, left, restarts } = report;
  const home = to === 'prefixed' ? `cw:${env}:` : 'the un-prefixed keys';
  const rows = families.map((each) => [
    `${each.name}:*`,
    '',
    ...[each.carried, each.kept, each.foreign, each.gone].map(countText),
  ]);
  const foreign = families.filter((each) => each.foreign > 0).map(({ name }) => name);
  return [
    `${dryRun ? 'would carry' : 'carried'}  ${countText(carried)} of ${countText(scanned)} keys to ${home} in ${seconds} s`,
    ...(restarts > 0 ? [`begun again ${restarts} times: what was carried before is there already`] : []),
    '',
    table(['keys', '', dryRun ? 'due' : 'carried', 'there already', 'not ours', 'gone meanwhile'], rows),
    '',
    ...left.map(({ name, why }) => `${name}:* stays: ${why}`),
    ...(foreign.length > 0
      ? [
          colors.yellow(
            `${foreign.join(', ')}: some keys hold what none of our stores writes, in one home or the other; they were left alone`,
          ),
        ]
      : []),
  ].join('\n');
}
