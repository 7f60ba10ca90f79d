import { type AliasControl, type AliasState, aliasOf } from '../alias.ts';
import type { RollbackContext, StepResult } from './step.ts';

/** What the step says, and how the stack stands to it. */
export interface AliasResult extends StepResult {
  /** `drifts`: the alias is not where the template has it; `goes back`: CloudFormation undoes its update by itself. */
  readonly stack?: 'drifts' | 'goes back';
}

/**
 * Takes the newest version out of the traffic: where a deployment is under way CodeDeploy goes back, else the alias is moved to
 * the version before. Where an older version has all of the traffic it is out already, so that a second rollback does not go back
 * another one; `toVersion` does.
 */
export async function moveAliasBack(context: RollbackContext): Promise<AliasResult> {
  const service = context.service();
  const control = aliasOf(service, context.patience);
  const stopped = await stopDeployments(control, context);
  if (stopped) return { ...stopped, ...(stopped.outcome === 'done' && { stack: 'goes back' }) };

  const [state, versions] = [await control.state(), await control.versions()];
  const target = targetOf({ state, versions, toVersion: context.toVersion });
  if (typeof target === 'string') {
    return { outcome: 'failed', text: target, byHand: 'deploy a version that works' };
  }
  const name = `${service.alias} of ${service.apiFunction}`;
  const stack = target === Number(service.version) ? {} : ({ stack: 'drifts' } as const);
  if (target === state.version && state.shared.length === 0) {
    const newest = versions[0] ?? target;
    const further = newest > target ? `, and ${newest} has no traffic; --to-version goes back further` : '';
    return { outcome: 'already', text: `${name} is at version ${target}${further}`, ...stack };
  }
  const text = `${name} from version ${[state.version, ...state.shared].join(' and ')} to ${target}`;
  if (context.dryRun) return { outcome: 'would', text: `would move ${text}` };
  await control.moveTo(target, state);
  return { outcome: 'done', text, ...stack };
}

/** Undefined where no deployment was under way. */
async function stopDeployments(
  control: AliasControl,
  { dryRun, signal }: RollbackContext,
): Promise<StepResult | undefined> {
  const running = await control.deployments();
  if (running.length === 0) return undefined;
  const forward = running.filter(({ isRollback }) => !isRollback);
  if (dryRun) {
    const ids = forward.map(({ id }) => id).join(', ');
    return forward.length === 0
      ? { outcome: 'already', text: 'CodeDeploy is on its way back already' }
      : { outcome: 'would', text: `would stop the deployment ${ids}, and have CodeDeploy go back` };
  }
  const stopped: string[] = [];
  for (const deployment of forward) if (await control.stop(deployment)) stopped.push(deployment.id);
  // Each of them was over when it was to be stopped: the alias is where it led.
  if (stopped.length === 0 && forward.length === running.length) return undefined;
  const { version } = await control.settled(signal);
  const how =
    stopped.length > 0 ? `stopped the deployment ${stopped.join(', ')}` : 'CodeDeploy was going back';
  return { outcome: 'done', text: `${how}; version ${version} has all of the traffic` };
}

interface TargetOptions {
  readonly state: AliasState;
  /** The newest first. */
  readonly versions: readonly number[];
  readonly toVersion: number | undefined;
}

/** The version to go back to, or why there is none. */
function targetOf({ state, versions, toVersion }: TargetOptions): number | string {
  if (toVersion !== undefined) {
    return versions.includes(toVersion)
      ? toVersion
      : `there is no version ${toVersion}; there are ${versions.slice(0, 10).join(', ')}`;
  }
  const [newest = 0] = versions;
  if (state.version < newest) return state.version;
  return (
    versions.find((version) => version < state.version) ??
    `there is no version before ${state.version}, so the alias stays where it is`
  );
}
