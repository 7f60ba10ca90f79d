import type { HistoryEvent } from '@aws-sdk/client-sfn';

/** What happens in an execution, as Step Functions names it in its history; of a rehearsed one, too. */
export interface MachineEvent {
  /** `TaskStateEntered`, `TaskFailed`, `ExecutionSucceeded` and so on. */
  readonly type: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** The state that is entered or left. */
  readonly state?: string;
  /** How a task or the execution has failed. */
  readonly error?: string;
  readonly cause?: string;
}

/** An event of a real execution. */
export function machineEventOf(event: HistoryEvent): MachineEvent {
  const state = event.stateEnteredEventDetails?.name ?? event.stateExitedEventDetails?.name;
  const failure =
    event.executionFailedEventDetails ??
    event.executionAbortedEventDetails ??
    event.executionTimedOutEventDetails ??
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails;
  return {
    ...{ type: event.type ?? '', at: event.timestamp?.getTime() ?? 0 },
    ...(state !== undefined && { state }),
    ...(failure?.error !== undefined && { error: failure.error }),
    ...(failure?.cause !== undefined && { cause: failure.cause }),
  };
}
