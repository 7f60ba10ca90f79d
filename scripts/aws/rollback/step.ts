import type { Patience } from '../records.ts';
import type { RolloutOutputs, ServiceOutputs } from '../stacks.ts';

/** The steps, in their order. */
export const STEPS = ['legacy weight', 'serverless weight', 'alias', 'flush'] as const;
export type StepName = (typeof STEPS)[number];

/**
 * How a step ended: `done`; `already`, as it was before; `would`, in a dry run; `skipped`, since the stage has nothing of the
 * kind; `failed`, which includes what was not begun because it would have done harm.
 */
export type Outcome = 'done' | 'already' | 'would' | 'skipped' | 'failed';

/** What one step did. */
export interface StepReport {
  readonly step: StepName;
  readonly outcome: Outcome;
  /** What it did, or why not. */
  readonly text: string;
  /** What is left to do, where it failed. */
  readonly byHand?: string;
}

/** The report of a step, without its name. */
export type StepResult = Omit<StepReport, 'step'>;

export interface RollbackContext {
  readonly stage: string;
  readonly dryRun: boolean;
  /** Aborted when somebody does not want to wait any longer: what is under way is ended, and nothing else is begun. */
  readonly signal: AbortSignal;
  readonly patience: Patience;
  /** A version to go back to, if not the one before. */
  readonly toVersion?: number | undefined;
  /** What the stack `Service` says; throws what kept it from being read. */
  readonly service: () => ServiceOutputs;
  /** What the stack `Operations` says; undefined for a stage without a rollout; throws what kept it from being read. */
  readonly rollout: () => RolloutOutputs | undefined;
}
