import type { Cursor, RolloutStage, Weights } from '../contract/rollout.ts';
import { RolloutRefusedError, RolloutWeightsError } from './errors.ts';

/** The weights of a share, in percent; never both 0. */
export const weightsOf = (percent: number): Weights => ({ legacy: 100 - percent, serverless: percent });

/** The serverless backend's share of the traffic, in percent: with both at 0 Route 53 gives each half. */
export function shareOf({ legacy, serverless }: Weights): number {
  const sum = legacy + serverless;
  return sum === 0 ? 50 : (100 * serverless) / sum;
}

export const areSame = (one: Weights, other: Weights): boolean =>
  one.legacy === other.legacy && one.serverless === other.serverless;

export interface PlanOptions {
  readonly stages: readonly RolloutStage[];
  /** What Route 53 really has. */
  readonly weights: Weights;
  /** In milliseconds since 1970. */
  readonly now: number;
}

/**
 * Where a rollout goes on, by the weights alone. A stage that has its weights is observed again from its beginning: nobody knows
 * how much of its time it has had. @throws RolloutRefusedError where nothing is left to do; RolloutWeightsError where both are 0.
 */
export function planFrom({ stages, weights, now }: PlanOptions): Cursor {
  if (weights.legacy + weights.serverless === 0) {
    throw new RolloutWeightsError(
      'rollout: both weights are 0, so that Route 53 gives each backend half; the legacy backend gets all of it, then start again',
    );
  }
  const percent = shareOf(weights);
  const common = { stages, weights, percent };
  const reached = stages.findIndex((stage) => stage.percent === percent);
  if (reached >= 0) {
    const note = `${percent} % is the stage ${reached + 1} of ${stages.length}: it is observed again, then the rollout goes on`;
    return { ...common, index: reached, step: 'observe', advancedAt: new Date(now).toISOString(), note };
  }
  const index = stages.findIndex((stage) => stage.percent > percent);
  const next = stages[index];
  if (!next) {
    throw new RolloutRefusedError(
      `rollout: the serverless backend has ${shown(percent)} %, which is above the last stage, ${stages.at(-1)?.percent} %; nothing is left to roll out, and cutover rollback goes back`,
    );
  }
  const note =
    percent === 0
      ? `begins with ${next.percent} %`
      : `the weights ${weights.legacy} and ${weights.serverless} are of no stage, so somebody has set them; goes on with ${next.percent} %`;
  return { ...common, index, step: 'begin', advancedAt: null, note };
}

/** After a stage has been observed for its time, and the gate has held. */
export function afterStage(cursor: Cursor): Cursor {
  const { stages, index } = cursor;
  const isLast = index + 1 >= stages.length;
  if (isLast) return { ...cursor, step: 'finished', note: `${stages[index]?.percent} % is the last stage` };
  const approval = stages[index]?.approval === true;
  const [done, next] = [stages[index]?.percent, stages[index + 1]?.percent];
  return {
    ...cursor,
    ...{ index: index + 1, advancedAt: null, step: approval ? 'approve' : 'begin' },
    note: `${done} % has held; ${next} % is next${approval ? ', once somebody approves' : ''}`,
  };
}

/** The stage that a cursor is at. @throws RangeError for one that planFrom has not made. */
export function stageAt({ stages, index }: Pick<Cursor, 'stages' | 'index'>): RolloutStage {
  const stage = stages[index];
  if (!stage) throw new RangeError(`rollout: there is no stage ${index} of ${stages.length}`);
  return stage;
}

const shown = (percent: number): string => String(Math.round(percent * 100) / 100);
