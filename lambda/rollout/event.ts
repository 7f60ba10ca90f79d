import { ConfigurationError } from '../contract/errors.ts';
import { TASKS, type TaskFunction, type TaskOf } from '../contract/rollout.ts';

/** What the state machine sends with every task. */
export interface TaskEvent<Fn extends TaskFunction> {
  readonly task: TaskOf<Fn>;
  /** The ARN of the execution; of the way back, too, which no stop holds up. */
  readonly execution: string;
}

/**
 * The state machine is of the same deployment, so that what comes with a task is what the task takes.
 * @throws ConfigurationError for a task that this function does not do.
 */
export function requireTask<Fn extends TaskFunction>(fn: Fn, event: unknown): TaskEvent<Fn> {
  const { task, execution } = (typeof event === 'object' && event !== null ? event : {}) as Partial<
    TaskEvent<Fn>
  >;
  const tasks: readonly string[] = TASKS[fn];
  if (task !== undefined && tasks.includes(task) && typeof execution === 'string')
    return event as TaskEvent<Fn>;
  throw new ConfigurationError(
    `${fn}: task of the event is ${JSON.stringify(task)}; it must be one of ${tasks.join(', ')}, with the execution’s ARN: start the state machine, not the function`,
  );
}

/** Variables of the environment, each of which has to be set. @throws ConfigurationError naming those that are not. */
export function requireSet<Name extends string>(
  fn: string,
  variables: Readonly<Record<Name, string | undefined>>,
): Readonly<Record<Name, string>> {
  const missing = Object.entries(variables).flatMap(([name, value]) => (value ? [] : [name]));
  if (missing.length === 0) return variables as Readonly<Record<Name, string>>;
  throw new ConfigurationError(`${fn}: ${missing.join(', ')} is not set; the stack Operations sets it`);
}
