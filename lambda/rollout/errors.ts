import { CutoverError } from '../contract/errors.ts';

/** A rollout that may not begin: nothing was changed, and nothing is taken back, since another one may be at work. */
export class RolloutRefusedError extends CutoverError {
  override readonly name = 'RolloutRefusedError';
  readonly code = 'CUTOVER_ROLLOUT_REFUSED';
}

/** Somebody has asked for a stop. */
export class RolloutStoppedError extends CutoverError {
  override readonly name = 'RolloutStoppedError';
  readonly code = 'CUTOVER_ROLLOUT_STOPPED';
}

/** What has to hold before or during a stage does not: names what, and who is to blame. */
export class RolloutGateError extends CutoverError {
  override readonly name = 'RolloutGateError';
  readonly code = 'CUTOVER_ROLLOUT_GATE';

  constructor(
    message: string,
    /** One by one what speaks against it. */
    readonly reasons: readonly string[] = [message],
  ) {
    super(message);
  }
}

/** The weights are not what the rollout has made them, or cannot be changed. */
export class RolloutWeightsError extends CutoverError {
  override readonly name = 'RolloutWeightsError';
  readonly code = 'CUTOVER_ROLLOUT_WEIGHTS';
}
