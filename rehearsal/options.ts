import { CutoverError } from '../lambda/contract/errors.ts';

/** A command line or an environment that cannot be served; the command ends with exit code 2. */
export class UsageError extends CutoverError {
  override readonly name = 'UsageError';
  readonly code = 'CUTOVER_USAGE';
}

export type Mode = 'coherent' | 'naive';

/** Where the serverless backend's keys go: to `v2:` while traffic moves to it, or a phase at a time to `cw:{env}:`. */
export const MIGRATIONS = ['v2', 'cw'] as const;
export type Migration = (typeof MIGRATIONS)[number];

/** What a rehearsal is told. */
export interface RehearsalOptions {
  /** Default: `v2`. */
  readonly migration?: Migration;
  /** How long traffic runs, in seconds. */
  readonly seconds: number;
  /** The serverless backend's share of the traffic, stage by stage, in percent; of `cw` all the time `CW_WEIGHT_PERCENT`. */
  readonly stages: readonly number[];
  readonly users: number;
  /** Decides who is where and who does what; not the timing. */
  readonly seed: number;
  readonly mode: Mode;
}

/** Requests a second for lists, all users together. */
export const REQUESTS_PER_SECOND = 600;
/** Requests a second about sessions, beside them: about 5 % of all. */
export const SESSION_REQUESTS_PER_SECOND = 30;
export const READ_SHARE = 0.95;
export const ZIPF_EXPONENT = 0.8;
/** The first stage's share of the time: at 5 % of the traffic it takes longest to learn anything. */
export const FIRST_STAGE_SHARE = 0.4;
/** The runbook's wait after a flush is 2 minutes of a stage of 20, and here the same share. */
export const WAIT_SHARE = 0.1;
export const LONGEST_WAIT_SECONDS = 120;
/** Where in a stage the figures called "after" begin. */
export const AFTER_SHARE = 0.4;

/** While keys move to `cw:{env}:` the serverless backend has most of the traffic, and the legacy one is not stopped yet. */
export const CW_WEIGHT_PERCENT = 80;

/** How long each stage takes, in seconds. */
export function stageSeconds({ seconds, stages }: RehearsalOptions): number[] {
  if (stages.length === 1) return [seconds];
  const rest = (seconds * (1 - FIRST_STAGE_SHARE)) / (stages.length - 1);
  return stages.map((_, index) => (index === 0 ? seconds * FIRST_STAGE_SHARE : rest));
}

/** @throws UsageError naming the option and the value. */
export function parseWhole(
  name: string,
  text: string,
  { min, max, origin = 'rehearse' }: { min: number; max: number; origin?: string },
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `${origin}: ${name}=${JSON.stringify(text)} is not a whole number from ${min} to ${max}`,
  );
}

/** @throws UsageError unless the weights grow and stay in 1 to 100. */
export function parseStages(text: string): number[] {
  const stages = text.split(',').map((part) => parseWhole('--stages', part.trim(), { min: 1, max: 100 }));
  const grows = stages.every((weight, index) => index === 0 || weight > (stages[index - 1] ?? 0));
  if (grows) return stages;
  throw new UsageError(`rehearse: --stages=${JSON.stringify(text)} does not grow; write 5,25,50,100`);
}
