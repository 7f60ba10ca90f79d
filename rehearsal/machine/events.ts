import type { MachineEvent } from '../../lambda/rollout/machine-event.ts';

/** What the interpreter tells. */
export interface InterpreterEvent {
  readonly type: string;
  readonly timestamp: number;
  readonly state?: { readonly name: string; readonly type: string };
  readonly Error?: string;
  readonly Cause?: unknown;
}

/** Those that Step Functions names otherwise; of a caught error it says no more than that the task has failed. */
const NAMES: Readonly<Record<string, string | undefined>> = {
  StateRetried: 'TaskScheduled',
  StateCaught: undefined,
  ExecutionTimeout: 'ExecutionTimedOut',
};

/** The event as the history of a real execution has it; undefined for one that this has not. */
export function eventOf(told: InterpreterEvent): MachineEvent | undefined {
  const { state, Error: error, Cause: cause } = told;
  const type = typeOf(told);
  if (type === undefined) return undefined;
  return {
    ...{ type, at: told.timestamp },
    ...(state && { state: state.name }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause: String(cause) }),
  };
}

function typeOf({ type, state, Error: error }: InterpreterEvent): string | undefined {
  if (type === 'StateEntered' || type === 'StateExited') return `${state?.type}${type}`;
  if (type === 'StateFailed') {
    if (state?.type !== 'Task') return undefined;
    return error === 'States.Timeout' ? 'TaskTimedOut' : 'TaskFailed';
  }
  return type in NAMES ? NAMES[type] : type;
}

const SHOWN = /^(Task|Wait|Succeed|Fail)StateEntered$/;

/** The state that is entered, for a person; undefined for choices and what only hands on, which say nothing to one. */
export const shownState = ({ type, state }: MachineEvent): string | undefined =>
  SHOWN.test(type) ? state : undefined;
