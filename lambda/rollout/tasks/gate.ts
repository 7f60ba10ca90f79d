import type { Cursor } from '../../contract/rollout.ts';
import { type CoverageAnswer, requireCoverage, requireGreen } from '../checks.ts';
import { requireTask, type TaskEvent } from '../event.ts';
import { type StopFlag, unlessStopped } from '../stop.ts';
import {
  type Figures,
  judgeRecovered,
  type ObserveOptions,
  observe,
  type RecoveryVerdict,
} from '../watch.ts';

const FUNCTION = 'rollout-gate';

/** What the gate looks at. */
export interface GatePorts {
  readonly coverage: () => Promise<CoverageAnswer>;
  readonly redAlarms: () => Promise<readonly string[]>;
  /** @param since when the flush began, as ISO 8601 has it. */
  readonly recovery: (since: string) => Promise<RecoveryVerdict>;
  readonly figures: Figures;
  /** How time passes where a rollout is rehearsed. Default: as it does. */
  readonly pace?: (cursor: Cursor) => Pick<ObserveOptions, 'lateMs' | 'minuteMs'>;
  readonly stop: Pick<StopFlag, 'read'>;
}

/**
 * The tasks of a rollout that only look: `coverage` and `alarms` before a stage, `recovery` after a flush, `observe` while it serves.
 * @throws RolloutGateError with what speaks against going on; RolloutStoppedError; what the ports throw.
 */
export function gateTask(ports: GatePorts): (event: unknown) => Promise<unknown> {
  return async (event) => {
    const asked: Asked = requireTask(FUNCTION, event);
    return unlessStopped(ports.stop, asked.execution, () => look(asked, ports));
  };
}

interface Asked extends TaskEvent<typeof FUNCTION> {
  readonly cursor?: Cursor;
  readonly since?: string;
}

async function look({ task, cursor, since = '' }: Asked, ports: GatePorts): Promise<unknown> {
  if (task === 'coverage') return requireCoverage(await ports.coverage());
  if (task === 'alarms') return requireGreen(await ports.redAlarms());
  if (task === 'recovery') return judgeRecovered(await ports.recovery(since));
  const at = cursor as Cursor;
  return observe(at, { figures: ports.figures, now: Date.now(), ...ports.pace?.(at) });
}
