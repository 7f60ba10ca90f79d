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
