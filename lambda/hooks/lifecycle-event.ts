import { HookError } from './error.ts';

/** What CodeDeploy sends a hook: what it is told, it is told under these. */
export interface LifecycleEvent {
  readonly deploymentId: string;
  readonly hookExecutionId: string;
}

/** @throws HookError, naming the field, for what CodeDeploy does not send: nobody can be told of it. */
export function parseLifecycleEvent(event: unknown): LifecycleEvent {
  const fields: Readonly<Record<string, unknown>> =
    typeof event === 'object' && event !== null ? { ...event } : {};
  const textOf = (name: string): string => {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new HookError(
      `hooks: ${name} is ${JSON.stringify(value)}; it must be the id that CodeDeploy sends: only a deployment invokes a hook`,
    );
  };
  return {
    deploymentId: textOf('DeploymentId'),
    hookExecutionId: textOf('LifecycleEventHookExecutionId'),
  };
}
