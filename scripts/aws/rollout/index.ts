import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsMachine } from '../../../lambda/rollout/aws/machine.ts';
import { stopParameter } from '../../../lambda/rollout/aws/stop-flag.ts';
import { requestStop } from '../../../lambda/rollout/control.ts';
import { AwsError, asking, isNamed } from '../errors.ts';
import { recordsOf } from '../records.ts';
import { readMachine, readRollout } from '../stacks.ts';
import { type EnteredState, type ExecutionReport, type MachineReader, machineReader } from './machine.ts';

export interface RolloutStatus {
  readonly stage: string;
  /** Of the newest rollout; undefined before the first. */
  readonly execution: ExecutionReport | undefined;
  /** Where it is, or ended. */
  readonly state: string | undefined;
  readonly note: string | undefined;
  /** Whether it waits for `approve`. */
  readonly waitsForApproval: boolean;
  /** What Route 53 really has; a record that is missing has none. */
  readonly weights: { readonly legacy?: number; readonly serverless?: number };
}

const NAME = /^rollout-(\d+)$/;
const NO_PATIENCE = { everyMs: 0, patienceMs: 0 };

/**
 * Starts a rollout, or one that goes on where the last has stopped.
 * @returns its ARN. @throws AwsError where one runs already, or the last one has led all of the traffic where it was to go.
 */
export async function startRollout(stage: string, { again }: { readonly again: boolean }): Promise<string> {
  const { machine } = await requireMachine(stage);
  const reader = machineReader(machine);
  const newest = await reader.newest();
  if (newest?.status === 'RUNNING') throw new AwsError(isRunning(stage, newest.name));
  if (newest?.status === 'SUCCEEDED' && !again && (await weightsOf(stage)).legacy === 0) {
    throw new AwsError(
      `rollout: ${newest.name} is done, and all of the traffic is with the serverless backend; nothing is left to roll out: --again observes the last stage once more, and goes back if the gate does not hold`,
    );
  }
  // Two who start at the same time draw the same name, which Step Functions gives once.
  const name = `rollout-${Number(NAME.exec(newest?.name ?? '')?.[1] ?? 0) + 1}`;
  const arn = await reader.start(name, { id: randomUUID() });
  if (arn === undefined) throw new AwsError(isRunning(stage, name));
  return arn;
}

const isRunning = (stage: string, name: string): string =>
  `rollout: ${name} is running; there must be one at a time: npm run cutover -- rollout status --stage ${stage}`;

/** How the newest rollout stands. @throws AwsError. */
export async function rolloutStatus(stage: string): Promise<RolloutStatus> {
  const { machine } = await requireMachine(stage);
  const reader = machineReader(machine);
  const newest = await reader.newest();
  const weights = await weightsOf(stage);
  const nothing = { stage, execution: undefined, state: undefined, note: undefined, weights };
  if (!newest) return { ...nothing, waitsForApproval: false };
  const execution = await reader.describe(newest.arn);
  const last = (await reader.entered(newest.arn, 0)).at(-1);
  const isRunningNow = execution.status === 'RUNNING';
  return {
    ...{ stage, execution, state: last?.state, note: last?.cursor?.note, weights },
    waitsForApproval: isRunningNow && (await tokenOf(machine, newest.arn)) !== undefined,
  };
}

/** Approves the next stage. @returns what is approved. @throws AwsError where nothing waits for it, or no longer. */
export async function approveRollout(stage: string): Promise<string> {
  const { machine } = await requireMachine(stage);
  const { execution, state, note } = await rolloutStatus(stage);
  const token = execution?.status === 'RUNNING' ? await tokenOf(machine, execution.arn) : undefined;
  if (!execution || token === undefined) {
    const now = execution
      ? `${execution.name} is ${execution.status} at "${state ?? 'its beginning'}"`
      : 'there is none';
    throw new AwsError(`rollout: nothing waits for an approval: ${now}; nothing was changed`);
  }
  await asking(`states:SendTaskSuccess to ${execution.name}`, async () => {
    try {
      await awsMachine(machine).approve(token, process.env['USER'] ?? 'the command line');
    } catch (error) {
      if (!isNamed(error, 'TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken')) throw error;
      throw new AwsError(
        `rollout: the approval that ${execution.name} waited for is over; npm run cutover -- rollout status --stage ${stage} says where it is`,
        { cause: error },
      );
    }
  });
  return note ?? execution.name;
}

/** Asks the rollout that runs to stop and go back. @returns its ARN; undefined where none runs. @throws AwsError. */
export async function stopRollout(stage: string, reason: string): Promise<string | undefined> {
  const { machine, stopParameter: parameter } = await requireMachine(stage);
  const stopped = await asking(`states:ListExecutions of ${machine}, ssm:PutParameter of ${parameter}`, () =>
    requestStop({ machine: awsMachine(machine), flag: stopParameter(parameter) }, reason),
  );
  return stopped[0];
}

export interface FollowOptions {
  readonly stage: string;
  readonly onState: (entered: EnteredState) => void;
  readonly signal: AbortSignal;
  readonly everyMs?: number;
}

/** Tells of each state that the newest rollout enters, until it has ended or somebody looks no longer. @throws AwsError. */
export async function followRollout(arn: string, options: FollowOptions): Promise<ExecutionReport> {
  const { stage, onState, signal, everyMs = 5000 } = options;
  const reader: MachineReader = machineReader((await requireMachine(stage)).machine);
  let afterId = 0;
  for (;;) {
    // Asked first: what is entered between the two is told the next time, or was before the end.
    const execution = await reader.describe(arn);
    for (const entered of await reader.entered(arn, afterId)) {
      afterId = entered.id;
      onState(entered);
    }
    if (execution.status !== 'RUNNING' || signal.aborted) return execution;
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** The outputs of a stage that has a rollout. @throws AwsError for one that has none. */
export async function requireMachine(stage: string) {
  const outputs = await readMachine(stage);
  if (outputs) return outputs;
  throw new AwsError(
    `rollout: ${stage} has no rollout; set rollout of the stage in lib/stages.ts, and deploy: npm run deploy -- -c stage=${stage}`,
  );
}

function tokenOf(machine: string, arn: string): Promise<string | undefined> {
  return asking(`states:GetExecutionHistory of ${arn}`, () => awsMachine(machine).approvalToken(arn));
}

async function weightsOf(stage: string): Promise<RolloutStatus['weights']> {
  const rollout = await readRollout(stage);
  if (!rollout) return {};
  const { legacy, serverless } = await recordsOf(rollout, NO_PATIENCE).read();
  return { ...(legacy && { legacy: legacy.Weight }), ...(serverless && { serverless: serverless.Weight }) };
}
