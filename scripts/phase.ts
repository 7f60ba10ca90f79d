import { Command, Option } from 'commander';
import colors from 'picocolors';
import { PHASE_SWITCHES } from '../lambda/contract/environment.ts';
import type { StepReport } from '../lambda/phases/conditions.ts';
import { type PhaseReport, reportPhases, stepsAsked } from '../lambda/phases/phases.ts';
import { UsageError } from '../rehearsal/options.ts';
import { describeChecks } from './doctor.ts';
import { requireOneRedis, STAGE_HELP, type StageFlag, withStage } from './stage-option.ts';
import { table } from './text.ts';

interface Flags extends StageFlag {
  readonly json?: true;
  readonly to?: string;
}

const described = new Command('phase')
  .description('say which phase each service is in, and whether the next one and the one before are safe')
  .addOption(new Option('--to <phase>', 'ask for this step alone').choices(Object.keys(PHASE_SWITCHES)))
  .option('--json', 'print it as JSON');

export const phaseCommand = withStage(described)
  .addHelpText(
    'after',
    `
Reads only. In dual it passes over all keys once, and samples 2,000 of each kind. A condition that cannot be looked at says so, and does
not count as met.

Environment: REDIS_URL and NODE_ENV (required), REDIS_CLUSTER, REDIS_AUTH, DATABASE_URL, DATABASE_AUTH; the phase's switches as they
are deployed; CENSUS_REDIS_URL for a user who may SCAN, where that of REDIS_URL may not.
${STAGE_HELP}
Exit codes: 0 the steps forward are safe (or that of --to; where there is none, those back), 1 not yet, 2 bad usage.`,
  )
  .action(async ({ stage, json, to }: Flags) => {
    const report = stage === undefined ? await reportPhases(process.env) : await reportOf(stage);
    const steps = stepsAsked(report, to);
    if (steps.length === 0) {
      throw new UsageError(
        `phase: --to ${to} is no step from ${report.phase}, which are ${report.steps.map((step) => step.to).join(', ')}`,
      );
    }
    console.log(json ? JSON.stringify(report, null, 2) : describePhases(report, to));
    process.exitCode = steps.every(({ safe }) => safe) ? 0 : 1;
  });

async function reportOf(stage: string): Promise<PhaseReport> {
  requireOneRedis('phase', stage);
  // Not above: the AWS SDK is much to load for who does not use it.
  const { phasesByStage } = await import('./by-stage.ts');
  return phasesByStage(stage);
}

/** The report for a person; with `to` that step alone. */
export function describePhases({ phase, services, steps }: PhaseReport, to?: string): string {
  const rows = services.map((each) => [
    each.mirror ? `${each.service} (mirror)` : each.service,
    each.phase ?? '-',
    ...[String(each.instances), each.since, each.env],
  ]);
  return [
    `${colors.bold('phase')}  ${phase}, as the variables say`,
    '',
    rows.length > 0
      ? table(['service', 'phase', 'instances', 'since', 'NODE_ENV'], rows)
      : 'no process is known to use this Redis',
    ...steps.filter((step) => to === undefined || step.to === to).flatMap(describeStep),
  ].join('\n');
}

function describeStep({ from, to, direction, safe, conditions, safeAt }: StepReport): string[] {
  const verdict = safe ? colors.green('safe') : colors.red('not yet');
  const date = safeAt === undefined ? '' : `, about ${safeAt} if nothing falls back until then`;
  return [
    '',
    `${colors.bold(`${direction === 'next' ? 'forward' : 'back'}: ${from} to ${to}`)}  ${verdict}${date}`,
    describeChecks(conditions),
  ];
}
