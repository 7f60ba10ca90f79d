import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { MachineEvent } from '../machine-event.ts';

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
