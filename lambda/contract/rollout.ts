/** What the state machine of a rollout, its tasks and the command line agree on. */

/** One step of the traffic from one backend to the other. */
export interface RolloutStage {
  /** The serverless backend's share of the traffic. */
  readonly percent: number;
  /** How long it is observed before the next one. */
  readonly minutes: number;
  /** Whether somebody has to approve before the next one. Default: nobody has to. */
  readonly approval?: boolean;
}

/** The stages of requirement R19's hour of 5 %, and of the runbook. */
export const DEFAULT_ROLLOUT_STAGES: readonly RolloutStage[] = [
  { percent: 5, minutes: 60 },
  { percent: 25, minutes: 30 },
  { percent: 50, minutes: 30 },
  { percent: 100, minutes: 60 },
];

/** What both backends are asked before each stage, unless the stage says otherwise. */
export const DEFAULT_COMPARE_PATHS: readonly string[] = ['/api/config/flags'];

/** The states, by the names that people see. Those of tasks name what is done. */
export const STATES = {
  begin: 'Begin',
  plan: 'Read the weights',
  coverage: 'Look for writers without the mirror',
  alarms: 'Look for red alarms',
  compare: 'Compare the answers',
  resume: 'Where to go on',
  flush: 'Flush',
  flushed: 'Is all flushed',
  flushStopped: 'Not all is flushed',
  settle: 'Wait for clients and caches',
  serves: 'Does it serve already',
  recovery: 'Look at the hit rate',
  recovered: 'Is the hit rate back',
  recovering: 'Wait for the hit rate',
  advance: 'Move the weights',
  watching: 'Wait while it serves',
  observe: 'Look at the gate',
  observed: 'Does the gate hold',
  approve: 'Wait for an approval',
  next: 'Go on with the next stage',
  tell: 'Tell that it is done',
  done: 'Done',
  legacyBack: 'Give the legacy backend a weight',
  serverlessBack: 'Take the serverless weight',
  flushBack: 'Flush the serverless namespace',
  tellBack: 'Tell that it went back',
  failed: 'Failed',
  refused: 'Refused',
} as const;
export type RolloutStateName = (typeof STATES)[keyof typeof STATES];

/** A weight each, as Route 53 has them. */
export interface Weights {
  readonly legacy: number;
  readonly serverless: number;
}

/** What is to be done next: `begin` with a stage, `observe` it, `approve` what comes next, or nothing more. */
export type RolloutStep = 'begin' | 'observe' | 'approve' | 'finished';

/** Where a rollout stands: what one state hands to the next. Times as ISO 8601 has them. */
export interface Cursor {
  readonly stages: readonly RolloutStage[];
  /** Of the stage that is begun or observed. */
  readonly index: number;
  readonly step: RolloutStep;
  /** The weights as the rollout has set or found them. */
  readonly weights: Weights;
  /** The serverless backend's share of the traffic with these weights, in percent. */
  readonly percent: number;
  /** Since when the stage at `index` has its weights; null before. */
  readonly advancedAt: string | null;
  /** What somebody should know of it. */
  readonly note: string;
}

/** The tasks, by the function that does them. Each is also the field `task` of its event. */
export const TASKS = {
  'rollout-traffic': ['plan', 'advance', 'legacy', 'serverless'],
  'rollout-gate': ['coverage', 'alarms', 'recovery', 'observe'],
  'rollout-compare': ['compare'],
} as const;
export type TaskFunction = keyof typeof TASKS;
export type TaskOf<Fn extends TaskFunction> = (typeof TASKS)[Fn][number];

/** How long a task may take. Its state waits a little longer, so that what has timed out is over, and not still at work. */
export const TASK_TIMEOUT_SECONDS = 240;
export const STATE_GRACE_SECONDS = 20;

/** How far back a writer counts that invalidates nothing. */
export const COVERAGE_SECONDS = 86_400;

/** How long a stage waits for an approval before it goes back. */
export const APPROVAL_SECONDS = 86_400;

/** Of the time of a stage, what belongs to the recovery of the caches at the most: hit rate and latency are judged after it. */
export const SETTLE_SHARE = 0.6;

/** The shortest stage: ten minutes for the hit rate to come back, and some that are judged. */
export const MIN_STAGE_MINUTES = 15;

/** What a stop says that nobody has asked for. */
export const NO_STOP = 'none';

export const machineNameOf = (stage: string): string => `cutover-${stage}-rollout`;
export const stopParameterOf = (stage: string): string => `/cutover/${stage}/rollout/stop`;

/** How long clients may go on with a backend whose weight is 0; it is what the way back takes, too. */
export const RECORD_TTL_SECONDS = 60;
