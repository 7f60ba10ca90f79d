import { Command } from 'commander';
import colors from 'picocolors';
import type { RolloutStatus } from './aws/rollout/index.ts';
import type { EnteredState, ExecutionReport } from './aws/rollout/machine.ts';
import { stageName } from './stage-option.ts';

interface Flags {
  readonly stage: string;
  readonly json?: true;
}
interface StartFlags extends Flags {
  readonly again?: true;
  readonly follow?: true;
}
interface StopFlags extends Flags {
  readonly reason: string;
}

const PERMISSIONS = `
Credentials and region are those that the AWS command line reads. They need cloudformation:DescribeStacks,
states:ListExecutions, DescribeExecution, GetExecutionHistory, route53:ListResourceRecordSets; start needs states:StartExecution,
approve states:SendTaskSuccess, stop ssm:PutParameter and states:SendTaskFailure; rollback also what cutover rollback needs.
Exit codes: 0 done, 1 refused or failed, also a rollout that went back, 2 bad usage.`;

/** Not at the top: the AWS SDK is much to load for who does not use it. */
const load = () => import('./aws/rollout/index.ts');

export const rolloutCommand = new Command('rollout')
  .description(
    'move the traffic of a stage to the serverless backend, stage by stage, watched and with a way back',
  )
  .addHelpText(
    'after',
    `
Before each stage: who writes without the mirror, red alarms, the same answers from both backends. Then flush, wait, hit rate, weights,
and a watch for as long as the gate holds. Whatever fails leads back, by itself. Starting again goes on from the weights that Route 53 has.
${PERMISSIONS}`,
  )
  .exitOverride();

const subcommand = (name: string, description: string) => {
  const command = rolloutCommand
    .command(name)
    .description(description)
    .requiredOption('--stage <name>', 'the stage, such as production', stageName)
    .option('--json', 'print the report as JSON')
    .addHelpText('after', PERMISSIONS);
  return command.exitOverride().showHelpAfterError('(add --help for the options)');
};

subcommand('start', 'begin, or go on from the weights that Route 53 has')
  .option('--again', 'also where the last rollout is done: observes its last stage once more')
  .option('--follow', 'stay, and say what it does, until it has ended')
  .action(async ({ stage, again, follow, json }: StartFlags) => {
    const { startRollout } = await load();
    const arn = await startRollout(stage, { again: again === true });
    if (follow) return followIt(arn, { stage, json });
    const name = arn.split(':').at(-1) ?? arn;
    console.log(
      json ? JSON.stringify({ stage, name, arn }, null, 2) : `started  ${name} of ${stage}\n\n${next(stage)}`,
    );
  });

subcommand('status', 'say where it is, with the weights that Route 53 has')
  .option('--follow', 'stay, and say what it does, until it has ended')
  .action(async ({ stage, follow, json }: StartFlags) => {
    const { rolloutStatus } = await load();
    const status = await rolloutStatus(stage);
    if (follow && status.execution) return followIt(status.execution.arn, { stage, json });
    console.log(json ? JSON.stringify(status, null, 2) : statusText(status));
    if (isOver(status.execution)) process.exitCode = 1;
  });

subcommand('approve', 'let the next stage begin').action(async ({ stage, json }: Flags) => {
  const { approveRollout } = await load();
  const approved = await approveRollout(stage);
  console.log(json ? JSON.stringify({ stage, approved }, null, 2) : `approved  ${approved}`);
});

subcommand('stop', 'have it end what is under way, and go back')
  .option('--reason <text>', 'why, for who reads of it', 'somebody asked for it')
  .action(async ({ stage, reason, json }: StopFlags) => {
    const [{ stopRollout }, { AwsError }] = await Promise.all([load(), import('./aws/errors.ts')]);
    const arn = await stopRollout(stage, reason);
    if (arn === undefined) {
      throw new AwsError(
        `rollout: no rollout of ${stage} is running; what is done is taken back by npm run cutover -- rollback --stage ${stage}`,
      );
    }
    const name = arn.split(':').at(-1) ?? arn;
    console.log(
      json
        ? JSON.stringify({ stage, name, arn, reason }, null, 2)
        : `stopping  ${name} of ${stage}: it ends what is under way, a flush at the longest, and goes back\n\n${next(stage)}`,
    );
  });

subcommand('rollback', 'stop it, and take the traffic back at once, without waiting for it').action(
  async ({ stage, json }: Flags) => {
    const [{ stopRollout }, { rollBack }] = await Promise.all([load(), import('./aws/rollback/index.ts')]);
    const arn = await stopRollout(stage, 'rolled back by hand');
    if (!json) console.log(arn ? `stopping  ${arn.split(':').at(-1)}` : 'already   no rollout is running');
    const report = await rollBack({
      ...{ stage, dryRun: false, signal: new AbortController().signal },
      onStep: ({ step, outcome, text }) => json || console.log(`${outcome.padEnd(9)} ${step}: ${text}`),
    });
    if (json) console.log(JSON.stringify({ stopped: arn ?? null, ...report }, null, 2));
    if (!report.complete) process.exitCode = 1;
  },
);

async function followIt(arn: string, { stage, json }: Pick<Flags, 'stage' | 'json'>): Promise<void> {
  const { followRollout } = await load();
  const left = new AbortController();
  const onSignal = () => left.abort();
  process.once('SIGINT', onSignal);
  try {
    const onState = (entered: EnteredState) =>
      console.log(json ? JSON.stringify(entered) : stateLine(entered));
    const ended = await followRollout(arn, { stage, onState, signal: left.signal });
    if (json) console.log(JSON.stringify(ended));
    else if (left.signal.aborted) console.log(`\nit goes on without you; ${next(stage)}`);
    else console.log(`\n${endText(ended)}`);
    if (isOver(ended)) process.exitCode = 1;
  } finally {
    process.off('SIGINT', onSignal);
  }
}

const stateLine = ({ at, state, cursor }: EnteredState): string =>
  `${at.slice(11, 19)}  ${state.padEnd(36)} ${colors.dim(cursor?.note ?? '')}`.trimEnd();

function statusText({ execution, state, note, weights, waitsForApproval, stage }: RolloutStatus): string {
  const shown = (weight: number | undefined) => weight ?? 'no record';
  const lines = [`weights  legacy ${shown(weights.legacy)}, serverless ${shown(weights.serverless)}`];
  if (!execution) return ['rollout  there has been none', ...lines].join('\n');
  const since = execution.startedAt.slice(0, 16).replace('T', ' ');
  return [
    `rollout  ${execution.name}, ${endText(execution)}, begun ${since} UTC`,
    ...(state ? [`state    ${state}`] : []),
    ...(note ? [`stage    ${isOver(execution) ? 'was: ' : ''}${note}`] : []),
    ...lines,
    ...(waitsForApproval ? ['', `it waits for: npm run cutover -- rollout approve --stage ${stage}`] : []),
  ].join('\n');
}

function endText({ status, error, cause }: ExecutionReport): string {
  if (status === 'SUCCEEDED') return colors.green('done');
  if (status === 'RUNNING') return 'running';
  return colors.red(`${status.toLowerCase()}: ${cause ?? error ?? 'no reason is known'}`);
}

const isOver = (execution: ExecutionReport | undefined): boolean =>
  execution !== undefined && !['RUNNING', 'SUCCEEDED'].includes(execution.status);

const next = (stage: string): string =>
  `where it is: npm run cutover -- rollout status --stage ${stage} --follow`;
