import { type CompareOptions, compare, requireSame } from '../compare/compare.ts';
import { requireTask } from '../event.ts';
import { type StopFlag, unlessStopped } from '../stop.ts';

export interface ComparePorts extends CompareOptions {
  readonly stop: Pick<StopFlag, 'read'>;
}

/**
 * The task `compare` of a rollout: asks both backends the same.
 * @throws RolloutGateError that names the routes; RolloutStoppedError; what a backend that does not answer throws.
 */
export function compareTask({ stop, ...options }: ComparePorts): (event: unknown) => Promise<unknown> {
  return async (event) => {
    const { execution } = requireTask('rollout-compare', event);
    return unlessStopped(stop, execution, async () => requireSame(await compare(options)));
  };
}
