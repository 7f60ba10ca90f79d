import { Command } from 'commander';
import colors from 'picocolors';
import { type DoctorReport, examine } from '../lambda/doctor/doctor.ts';
import { type CheckReport, exitCodeOf, OUTCOMES, type Outcome } from '../lambda/doctor/examination.ts';
import { requireOneRedis, STAGE_HELP, type StageFlag, withStage } from './stage-option.ts';

interface Flags extends StageFlag {
  readonly json?: true;
}

const described = new Command('doctor')
  .description('check an environment before a cutover, and say what to fix')
  .option('--json', 'print the checks as JSON');

export const doctorCommand = withStage(described)
  .addHelpText(
    'after',
    `
Causes come before what depends on them: such a check is not run, and names its cause. A check that cannot run does not count as
passed. Of the Redis it tries what the runtime does, on a key of its own that it removes again, and changes nothing else.

Environment: REDIS_URL, DATABASE_URL and NODE_ENV (required), REDIS_CLUSTER, REDIS_AUTH, DATABASE_AUTH; the phase's switches and
CACHE_MODE as they are deployed; CENSUS_REDIS_URL for a user who may SCAN, where that of REDIS_URL may not.
${STAGE_HELP}
Then it also says which alarms of the stage are red, for which they need cloudwatch:DescribeAlarms.
Exit codes: 0 every check has passed or warned, 1 one has failed or was not run, 2 bad usage.`,
  )
  .action(async ({ stage, json }: Flags) => {
    const { checks } = stage === undefined ? await examine(process.env) : await examineStage(stage);
    console.log(json ? JSON.stringify({ checks }, null, 2) : describeChecks(checks));
    process.exitCode = exitCodeOf(checks);
  });

async function examineStage(stage: string): Promise<DoctorReport> {
  requireOneRedis('doctor', stage);
  // Not above: the AWS SDK is much to load for who does not use it.
  const { doctorByStage } = await import('./by-stage.ts');
  return doctorByStage(stage);
}

const COLOURS: Readonly<Record<Outcome, (text: string) => string>> = {
  pass: colors.green,
  warn: colors.yellow,
  fail: colors.red,
  'not run': colors.dim,
};

/** Checks for a person: a line each, and under it what to do. */
export function describeChecks(checks: readonly CheckReport[]): string {
  const width = Math.max(...checks.map(({ check }) => check.length));
  const indent = ' '.repeat(OUTCOME_WIDTH + width + 3);
  const lines = checks.flatMap(({ check, outcome, text, remedy }) => [
    `${COLOURS[outcome](outcome.padEnd(OUTCOME_WIDTH))} ${check.padEnd(width)}  ${text}`,
    ...(remedy === undefined ? [] : [`${indent}${colors.bold(remedy)}`]),
  ]);
  const counts = OUTCOMES.flatMap((outcome) => {
    const count = checks.filter((each) => each.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  return [...lines, '', counts.join(', ')].join('\n');
}

const OUTCOME_WIDTH = 8;
