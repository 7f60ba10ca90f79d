import {
  DescribeExecutionCommand,
  type ExecutionListItem,
  ListExecutionsCommand,
  paginateGetExecutionHistory,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { type Cursor, STATES } from '../../../lambda/contract/rollout.ts';
import { machineEventOf } from '../../../lambda/rollout/aws/history.ts';
import { asking } from '../errors.ts';

/** An execution of the state machine, as Step Functions tells of it. */
export interface ExecutionReport {
  readonly name: string;
  readonly arn: string;
  readonly status: string;
  readonly startedAt: string;
  /** Of one that has failed. */
  readonly error?: string;
  readonly cause?: string;
}

/** A state that an execution has entered, and what it knew there. */
export interface EnteredState {
  readonly id: number;
  readonly at: string;
  readonly state: string;
  readonly cursor: Cursor | undefined;
}

/** What the command line asks of the state machine. All of it @throws AwsError. */
export interface MachineReader {
  /** The newest one; undefined before the first. */
  newest(): Promise<ExecutionReport | undefined>;
  /** Those states that it has entered after this event, the oldest first. */
  entered(arn: string, afterId: number): Promise<readonly EnteredState[]>;
  describe(arn: string): Promise<ExecutionReport>;
  /** @returns undefined where the name is taken already. */
  start(name: string, input: object): Promise<string | undefined>;
}

export function machineReader(stateMachineArn: string): MachineReader {
  const client = new SFNClient({});
  return {
    async newest() {
      const { executions = [] } = await asking(`states:ListExecutions of ${stateMachineArn}`, () =>
        client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1 })),
      );
      const [newest] = executions;
      return newest && reportOf(newest);
    },
    async entered(executionArn, afterId) {
      return asking(`states:GetExecutionHistory of ${executionArn}`, async () => {
        const found: EnteredState[] = [];
        const pages = paginateGetExecutionHistory(
          { client },
          { executionArn, reverseOrder: true, includeExecutionData: true },
        );
        for await (const { events = [] } of pages) {
          for (const event of events) {
            const { id = 0, stateEnteredEventDetails: details } = event;
            if (id <= afterId) return found.reverse();
            const { type, at, state } = machineEventOf(event);
            if (!type.endsWith('StateEntered') || state === undefined) continue;
            found.push({
              id,
              at: new Date(at).toISOString(),
              state,
              cursor: cursorIn(state, details?.input),
            });
          }
        }
        return found.reverse();
      });
    },
    async describe(executionArn) {
      const found = await asking(`states:DescribeExecution of ${executionArn}`, () =>
        client.send(new DescribeExecutionCommand({ executionArn })),
      );
      const { error, cause } = found;
      return {
        ...reportOf(found),
        ...(error !== undefined && { error }),
        ...(cause !== undefined && { cause: messageIn(cause) }),
      };
    },
    async start(name, input) {
      return asking(`states:StartExecution of ${stateMachineArn}`, async () => {
        try {
          const { executionArn } = await client.send(
            new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
          );
          return executionArn;
        } catch (error) {
          if ((error as Error).name === 'ExecutionAlreadyExists') return undefined;
          throw error;
        }
      });
    },
  };
}

function reportOf(item: Partial<ExecutionListItem>): ExecutionReport {
  const { name = '', executionArn: arn = '', status = '', startDate } = item;
  return { name, arn, status, startedAt: startDate?.toISOString() ?? '' };
}

/** The states between a look at the gate and the next stage: what was seen is newer than the cursor there. */
const AFTER_LOOK: ReadonlySet<string> = new Set([STATES.observed, STATES.approve, STATES.next, STATES.tell]);

function cursorIn(state: string, input: string | undefined): Cursor | undefined {
  const { cursor, seen } = parsed(input) as { cursor?: Cursor; seen?: { cursor?: Cursor } };
  return AFTER_LOOK.has(state) ? seen?.cursor : cursor;
}

/** What a Lambda function has thrown is JSON in the cause. */
function messageIn(cause: string): string {
  const { errorMessage } = parsed(cause) as { errorMessage?: string };
  return errorMessage ?? cause;
}

function parsed(text: string | undefined): object {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
