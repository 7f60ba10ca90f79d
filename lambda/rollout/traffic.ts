import type { Cursor, RolloutStage, Weights } from '../contract/rollout.ts';
import { areSame, planFrom, stageAt, weightsOf } from './cursor.ts';
import { RolloutRefusedError, RolloutWeightsError } from './errors.ts';

/** The two weighted records. */
export interface TrafficRecords {
  /** Undefined where a record is missing. @throws RolloutRefusedError for a hosted zone that is not ours. */
  read(): Promise<Partial<Weights>>;
  /** Changes those that are named, in one change, and waits until all name servers of Route 53 know it. */
  set(weights: Partial<Weights>): Promise<void>;
}

/** The executions of the state machine that are running. */
export interface RunningExecutions {
  /** Their ARNs. */
  list(machine: string): Promise<readonly string[]>;
}

/** What the legacy backend gets when it has nothing. */
const WHOLE = 100;

export interface PlanTask {
  readonly stages: readonly RolloutStage[];
  readonly execution: string;
  readonly machine: string;
}

/**
 * Where this rollout begins, by the weights that Route 53 really has.
 * @throws RolloutRefusedError where another one runs, the records are missing, or nothing is left to do.
 */
export async function plan(
  { stages, execution, machine }: PlanTask,
  ports: { readonly records: TrafficRecords; readonly executions: RunningExecutions; readonly now?: number },
): Promise<Cursor> {
  const { records, executions, now = Date.now() } = ports;
  const others = (await executions.list(machine)).filter((arn) => arn !== execution);
  if (others.length > 0) {
    throw new RolloutRefusedError(
      `rollout: ${others.join(', ')} is running; there must be one at a time: wait for it, or cutover rollout stop`,
    );
  }
  return planFrom({ stages, weights: await bothOf(records), now });
}

/**
 * Moves the weights to the stage of the cursor; once, however often it is called.
 * @throws RolloutWeightsError where somebody else has moved them meanwhile.
 */
export async function advance(
  cursor: Cursor,
  { records, now = () => Date.now() }: { readonly records: TrafficRecords; readonly now?: () => number },
): Promise<Cursor> {
  const { percent } = stageAt(cursor);
  const [found, target] = [await bothOf(records), weightsOf(percent)];
  if (!areSame(found, target)) {
    requireOurs(found, cursor);
    await records.set(target);
  }
  const note = `the serverless backend has ${percent} %`;
  return {
    ...{ ...cursor, weights: target, percent, note },
    ...{ step: 'observe' as const, advancedAt: new Date(now()).toISOString() },
  };
}

/** @throws RolloutWeightsError unless the weights are those that the rollout has set or found. */
export function requireOurs(found: Weights, { weights }: Pick<Cursor, 'weights'>): void {
  if (areSame(found, weights)) return;
  throw new RolloutWeightsError(
    `rollout: the weights are ${found.legacy} for legacy and ${found.serverless} for serverless, and the rollout has left them at ${weights.legacy} and ${weights.serverless}; somebody has set them by hand, so it goes back: start again when that is settled`,
  );
}

/** What a step of the way back has found or done. */
export interface BackReport {
  readonly text: string;
}

/** The way back, first: the legacy backend has a weight above 0. With all weights 0 each backend gets half. */
export async function giveLegacy(records: TrafficRecords): Promise<BackReport> {
  const { legacy } = await records.read();
  if (legacy === undefined) throw new RolloutWeightsError(missing('legacy'));
  if (legacy > 0) return { text: `legacy has the weight ${legacy}` };
  await records.set({ legacy: WHOLE });
  return { text: `legacy from 0 to ${WHOLE}` };
}

/** The way back, second: the serverless backend has the weight 0. @throws RolloutWeightsError before the legacy backend has one. */
export async function takeServerless(records: TrafficRecords): Promise<BackReport> {
  const { legacy, serverless } = await records.read();
  if (serverless === undefined) return { text: 'there is no record serverless' };
  if (serverless === 0) return { text: 'serverless has the weight 0' };
  if (!legacy) {
    throw new RolloutWeightsError(
      `rollout: legacy has ${legacy === undefined ? 'no record' : 'the weight 0'}; it must have a weight above 0 before serverless loses its ${serverless}, since with both at 0 each gets half`,
    );
  }
  await records.set({ serverless: 0 });
  return { text: `serverless from ${serverless} to 0` };
}

async function bothOf(records: TrafficRecords): Promise<Weights> {
  const { legacy, serverless } = await records.read();
  if (legacy !== undefined && serverless !== undefined) return { legacy, serverless };
  throw new RolloutRefusedError(missing(legacy === undefined ? 'legacy' : 'serverless'));
}

const missing = (backend: string): string =>
  `rollout: there is no weighted record ${backend}; deploy the stage with its rollout, which makes it`;
