import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError } from 'commander';
import colors from 'picocolors';
import { UsageError } from '../rehearsal/options.ts';
import type { RollbackReport } from './aws/rollback/index.ts';
import type { Outcome, StepReport } from './aws/rollback/step.ts';
import { stageName } from './stage-option.ts';

interface Flags {
  readonly stage: string;
  readonly toVersion?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

export const rollbackCommand = new Command('rollback')
  .description('take a stage back: the traffic to the legacy backend, the alias to the version before')
  .requiredOption('--stage <name>', 'the stage, such as dev', stageName)
  .option('--to-version <number>', 'the version of the API to go back to (default: the one before)', version)
  .option('--dry-run', 'say what it would do, and change nothing')
  .option('--yes', 'do not ask; required where there is no terminal')
  .option('--json', 'print the report as JSON')
  .addHelpText(
    'after',
    `
In this order, each step only if it is not done already:
  1. legacy weight       above 0 (100, if it is 0), and waits until Route 53 says INSYNC
  2. serverless weight   to 0; not before the first, since with both at 0 each backend gets half
  3. alias               a deployment under way is stopped and goes back by itself; else the alias goes to the version before
  4. flush               of the cached keys under v2: or cw:{NODE_ENV}:; un-prefixed keys stay, the legacy backend needs them
A step that fails does not keep the later ones from being done. Running it again is harmless, also after Ctrl-C, which ends what
is under way and begins nothing else.

Credentials and region are those that the AWS command line reads. They need cloudformation:DescribeStacks;
route53:ListResourceRecordSets, ChangeResourceRecordSets, GetChange; codedeploy:ListDeployments, GetDeployment, StopDeployment;
lambda:GetAlias, ListVersionsByFunction, UpdateAlias, InvokeFunction.
Exit codes: 0 done, 1 something is left to do, which it names, 2 bad usage, 130 interrupted.`,
  )
  .action(async (flags: Flags) => {
    const { stage, toVersion } = flags;
    const [dryRun, json] = [flags.dryRun === true, flags.json === true];
    if (!dryRun) await requireConsent(flags);
    const interrupted = new AbortController();
    const onSignal = () => {
      if (interrupted.signal.aborted) process.exit(INTERRUPTED);
      console.error('\ncutover: ending what is under way; once more leaves at once');
      interrupted.abort();
    };
    for (const name of SIGNALS) process.on(name, onSignal);
    try {
      // Not above: the AWS SDK is much to load for who does not use it.
      const { rollBack } = await import('./aws/rollback/index.ts');
      const report = await rollBack({
        ...{ stage, dryRun, toVersion, signal: interrupted.signal },
        onStep: (step) => json || console.log(stepLine(step)),
      });
      console.log(json ? JSON.stringify(report, null, 2) : ending(report));
      if (interrupted.signal.aborted) process.exitCode = INTERRUPTED;
      else if (!report.complete) process.exitCode = 1;
    } finally {
      for (const name of SIGNALS) process.off(name, onSignal);
    }
  });

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const INTERRUPTED = 130;

/** @throws UsageError where nobody has said yes. */
async function requireConsent({ stage, yes }: Flags): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new UsageError(
      `rollback: there is no terminal to ask at; add --yes to roll ${stage} back, or --dry-run to see what that would do`,
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(
      `Take ${stage} back: its traffic to the legacy backend, its alias to the version before? [y/N] `,
    );
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    asking.close();
  }
  throw new UsageError('rollback: nobody said yes; nothing was changed');
}

function version(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(
    'a version is a number from 1, as aws lambda list-versions-by-function says.',
  );
}

const COLOURS: Readonly<Record<Outcome, (text: string) => string>> = {
  done: colors.green,
  already: colors.green,
  would: colors.yellow,
  skipped: colors.dim,
  failed: colors.red,
};

const stepLine = ({ step, outcome, text }: StepReport): string =>
  `${COLOURS[outcome](outcome.padEnd(8))} ${step.padEnd(18)} ${text}`;

function ending({ steps, notes, dryRun, complete }: RollbackReport): string {
  const left = steps.flatMap(({ step, byHand }) => (byHand ? [`  ${step}: ${byHand}`] : []));
  return [
    ...(left.length > 0 ? ['', colors.bold('left to do by hand, or by running this again'), ...left] : []),
    '',
    ...(dryRun ? [`nothing was changed${complete ? '' : ', and not all of it would be done'}`] : notes),
  ].join('\n');
}
