import type { Cursor } from '../../contract/rollout.ts';
import { requireTask, type TaskEvent } from '../event.ts';
import { type StopFlag, unlessStopped } from '../stop.ts';
import {
  advance,
  giveLegacy,
  type PlanTask,
  plan,
  type RunningExecutions,
  type TrafficRecords,
  takeServerless,
} from '../traffic.ts';

const FUNCTION = 'rollout-traffic';

export interface TrafficPorts {
  readonly records: TrafficRecords;
  readonly executions: RunningExecutions;
  readonly stop: Pick<StopFlag, 'read'>;
}

/**
 * The tasks of a rollout that read and move the weights: `plan` and `advance`, and on the way back `legacy` and `serverless`, which no
 * stop holds up. @throws RolloutRefusedError, RolloutWeightsError, RolloutStoppedError; what the ports throw.
 */
export function trafficTask({
  records,
  executions,
  stop,
}: TrafficPorts): (event: unknown) => Promise<unknown> {
  return async (event) => {
    const asked = requireTask(FUNCTION, event);
    if (asked.task === 'legacy') return giveLegacy(records);
    if (asked.task === 'serverless') return takeServerless(records);
    return unlessStopped(stop, asked.execution, async () =>
      asked.task === 'plan'
        ? plan(asked as TaskEvent<typeof FUNCTION> & PlanTask, { records, executions })
        : advance((asked as unknown as { readonly cursor: Cursor }).cursor, { records }),
    );
  };
}
