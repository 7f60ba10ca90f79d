import {
  type HistoryEvent,
  ListExecutionsCommand,
  paginateGetExecutionHistory,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import type { Machine } from '../control.ts';
import { RolloutStoppedError } from '../errors.ts';
import type { RunningExecutions } from '../traffic.ts';
import { CLIENT_OPTIONS } from './client.ts';

/** The executions of state machines. @throws on use, the errors of the AWS SDK. */
export function awsExecutions(client = new SFNClient(CLIENT_OPTIONS)): RunningExecutions {
  return {
    async list(machine) {
      const { executions = [] } = await client.send(
        new ListExecutionsCommand({ stateMachineArn: machine, statusFilter: 'RUNNING', maxResults: 100 }),
      );
      return executions.flatMap(({ executionArn }) => executionArn ?? []);
    },
  };
}

/** The state machine of a rollout. @throws on use, the errors of the AWS SDK. */
export function awsMachine(machineArn: string): Machine {
  const client = new SFNClient(CLIENT_OPTIONS);
  return {
    running: () => awsExecutions(client).list(machineArn),
    async approvalToken(executionArn) {
      // Newest first: an approval that is over has its end before its beginning.
      let isOver = false;
      const pages = paginateGetExecutionHistory(
        { client },
        { executionArn, reverseOrder: true, includeExecutionData: true, maxResults: 100 },
      );
      for await (const { events = [] } of pages) {
        for (const event of events) {
          if (OVER.has(event.type ?? '')) isOver = true;
          const token = tokenOf(event);
          if (token !== undefined) return isOver ? undefined : token;
        }
      }
      return undefined;
    },
    async approve(taskToken, by) {
      await client.send(
        new SendTaskSuccessCommand({ taskToken, output: JSON.stringify({ approvedBy: by }) }),
      );
    },
    async refuse(taskToken, reason) {
      const error = new RolloutStoppedError(`rollout: stopped: ${reason}`);
      await client.send(
        new SendTaskFailureCommand({ taskToken, error: error.name, cause: error.message.slice(0, 32_000) }),
      );
    },
  };
}

/** How a task ends that was waited for. */
const OVER: ReadonlySet<string> = new Set([
  'TaskSucceeded',
  'TaskFailed',
  'TaskTimedOut',
  'TaskSubmitFailed',
]);

/** The token in the parameters of an approval that was scheduled. */
function tokenOf({ type, taskScheduledEventDetails }: HistoryEvent): string | undefined {
  if (type !== 'TaskScheduled' || !/waitForTaskToken$/.test(taskScheduledEventDetails?.resource ?? ''))
    return undefined;
  const { MessageAttributes } = JSON.parse(taskScheduledEventDetails?.parameters ?? '{}') as {
    MessageAttributes?: { token?: { StringValue?: string } };
  };
  return MessageAttributes?.token?.StringValue;
}
