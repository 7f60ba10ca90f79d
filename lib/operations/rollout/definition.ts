import {
  APPROVAL_SECONDS,
  type RolloutStage,
  type RolloutStateName,
  STATE_GRACE_SECONDS,
  STATES,
  TASK_TIMEOUT_SECONDS,
  type TaskFunction,
  type TaskOf,
} from '../../../lambda/contract/rollout.ts';
import { approval, type Definition, fail, is, type State, sdkTask, task } from './states.ts';

export interface DefinitionOptions {
  readonly stages: readonly RolloutStage[];
  /** The ARNs of the functions. */
  readonly functions: Readonly<Record<TaskFunction | 'flush', string>>;
  readonly topicArn: string;
  /** For the messages. */
  readonly stageName: string;
  /** Of the function that flushes. */
  readonly flushTimeoutSeconds: number;
  /** How long clients and caches take to notice: the longer of 2 minutes and the record's TTL. */
  readonly settleSeconds: number;
  /** Between two looks, while a hit rate recovers and while a stage is observed. */
  readonly lookSeconds: number;
  /** What the serverless backend has for itself; undefined where it shares the legacy backend's keys, which stay. */
  readonly ownNamespace: 'v2' | 'cw' | undefined;
}

const TASK_SECONDS = TASK_TIMEOUT_SECONDS + STATE_GRACE_SECONDS;

/**
 * The state machine of a rollout. Before each stage: coverage, alarms, the same answers. Then flush, wait, recovery, weights, and a watch
 * for as long as the gate holds. Whatever fails, and a stop, leads to the one way back, which ends as failed with the reason.
 */
export function rolloutDefinition(options: DefinitionOptions): Definition {
  const { stages, functions, topicArn, stageName, flushTimeoutSeconds, settleSeconds, lookSeconds } = options;
  const flushSeconds = flushTimeoutSeconds + STATE_GRACE_SECONDS;
  const of = <Fn extends TaskFunction>(fn: Fn, name: TaskOf<Fn>, fields: Record<string, unknown> = {}) => ({
    ...{ resource: functions[fn], seconds: TASK_SECONDS },
    payload: { task: name, 'execution.$': '$.execution', ...fields },
  });
  const cursor = { 'cursor.$': '$.cursor' };
  const forward = { onFailure: STATES.legacyBack } as const;
  const rollout = `npm run cutover -- rollout`;

  const before: Partial<Record<RolloutStateName, State>> = {
    [STATES.begin]: {
      Type: 'Pass',
      Parameters: { 'execution.$': '$$.Execution.Id', 'machine.$': '$$.StateMachine.Id' },
      Next: STATES.plan,
    },
    [STATES.plan]: task({
      ...of('rollout-traffic', 'plan', { 'machine.$': '$.machine', stages }),
      ...forward,
      ...{ refusal: STATES.refused, resultPath: '$.cursor', next: STATES.coverage },
    }),
    [STATES.coverage]: task({ ...of('rollout-gate', 'coverage'), ...forward, next: STATES.alarms }),
    [STATES.alarms]: task({ ...of('rollout-gate', 'alarms'), ...forward, next: STATES.compare }),
    [STATES.compare]: task({ ...of('rollout-compare', 'compare'), ...forward, next: STATES.resume }),
    [STATES.resume]: {
      Type: 'Choice',
      Choices: [is('$.cursor.step', 'observe', STATES.observe)],
      Default: STATES.flush,
    },
  };
  const stage: Partial<Record<RolloutStateName, State>> = {
    [STATES.flush]: task({
      ...{ resource: functions.flush, payload: { dryRun: false }, seconds: flushSeconds, ...forward },
      ...{ resultPath: '$.flush', next: STATES.flushed },
    }),
    [STATES.flushed]: {
      Type: 'Choice',
      Choices: [{ Variable: '$.flush.complete', BooleanEquals: true, Next: STATES.settle }],
      Default: STATES.flushStopped,
    },
    [STATES.flushStopped]: {
      Type: 'Pass',
      Result: { Error: 'FlushIncomplete', Cause: 'rollout: the flush has not seen all keys; start again' },
      ...{ ResultPath: '$.failure', Next: STATES.legacyBack },
    },
    [STATES.settle]: { Type: 'Wait', Seconds: settleSeconds, Next: STATES.serves },
    // A backend without traffic has no hit rate that could come back.
    [STATES.serves]: {
      Type: 'Choice',
      Choices: [{ Variable: '$.cursor.percent', NumericEquals: 0, Next: STATES.advance }],
      Default: STATES.recovery,
    },
    [STATES.recovery]: task({
      ...of('rollout-gate', 'recovery', { 'since.$': '$.flush.began' }),
      ...{ ...forward, resultPath: '$.recovery', next: STATES.recovered },
    }),
    [STATES.recovered]: {
      Type: 'Choice',
      Choices: [is('$.recovery.verdict', 'recovered', STATES.advance)],
      Default: STATES.recovering,
    },
    [STATES.recovering]: { Type: 'Wait', Seconds: lookSeconds, Next: STATES.recovery },
    [STATES.advance]: task({
      ...{ ...of('rollout-traffic', 'advance', cursor), ...forward },
      ...{ resultPath: '$.cursor', next: STATES.watching },
    }),
    [STATES.watching]: { Type: 'Wait', Seconds: lookSeconds, Next: STATES.observe },
    [STATES.observe]: task({
      ...{ ...of('rollout-gate', 'observe', cursor), ...forward },
      ...{ resultPath: '$.seen', next: STATES.observed },
    }),
    [STATES.observed]: {
      Type: 'Choice',
      Choices: [
        is('$.seen.verdict', 'watching', STATES.watching),
        is('$.seen.cursor.step', 'finished', STATES.tell),
        is('$.seen.cursor.step', 'approve', STATES.approve),
      ],
      Default: STATES.next,
    },
    [STATES.next]: {
      Type: 'Pass',
      ...{ InputPath: '$.seen.cursor', ResultPath: '$.cursor', Next: STATES.coverage },
    },
    [STATES.approve]: approval({
      topicArn,
      subject: `Cutover ${stageName}: a stage waits for approval`,
      message: `States.Format('{}. Approve: ${rollout} approve --stage ${stageName}; go back: ${rollout} stop --stage ${stageName}', $.seen.cursor.note)`,
      ...{ seconds: APPROVAL_SECONDS, ...forward, resultPath: '$.approval', next: STATES.next },
    }),
    [STATES.tell]: sdkTask({
      topicArn,
      subject: `Cutover ${stageName}: the rollout is done`,
      message: `States.Format('{}. The gate has held.', $.seen.cursor.note)`,
      // What is done is done, whether or not somebody hears of it.
      ...{ seconds: TASK_SECONDS, onFailure: STATES.done, resultPath: null, next: STATES.done },
    }),
    [STATES.done]: { Type: 'Succeed' },
  };
  return {
    StartAt: STATES.begin,
    States: { ...before, ...stage, ...wayBack(options, of) } as Definition['States'],
  };
}

type TaskOptionsOf = (
  fn: 'rollout-traffic',
  name: TaskOf<'rollout-traffic'>,
) => { readonly resource: string; readonly seconds: number; readonly payload: Record<string, unknown> };

/** Each step is tried for minutes, and one that fails for good does not keep the later ones from being done. */
function wayBack(options: DefinitionOptions, of: TaskOptionsOf): Partial<Record<RolloutStateName, State>> {
  const { functions, topicArn, stageName, ownNamespace, flushTimeoutSeconds } = options;
  const afterWeights = ownNamespace ? STATES.flushBack : STATES.tellBack;
  const step = (next: RolloutStateName, resultPath: string) => ({
    ...{ persistent: true, onFailure: next, failurePath: resultPath, resultPath, next },
  });
  return {
    [STATES.legacyBack]: task({
      ...of('rollout-traffic', 'legacy'),
      ...step(STATES.serverlessBack, '$.legacyBack'),
    }),
    [STATES.serverlessBack]: task({
      ...of('rollout-traffic', 'serverless'),
      ...step(afterWeights, '$.serverlessBack'),
    }),
    ...(ownNamespace && {
      [STATES.flushBack]: task({
        ...{ resource: functions.flush, seconds: flushTimeoutSeconds + STATE_GRACE_SECONDS },
        payload: { dryRun: false, namespace: ownNamespace },
        ...step(STATES.tellBack, '$.flushBack'),
      }),
    }),
    [STATES.tellBack]: sdkTask({
      topicArn,
      subject: `Cutover ${stageName}: the rollout went back`,
      message: `States.Format('{} Weights: {} {} Look: npm run cutover -- rollout status --stage ${stageName}', States.JsonToString($.failure), States.JsonToString($.legacyBack), States.JsonToString($.serverlessBack))`,
      ...{ seconds: TASK_SECONDS, persistent: true, onFailure: STATES.failed, failurePath: '$.told' },
      ...{ resultPath: null, next: STATES.failed },
    }),
    [STATES.failed]: fail('$.failure.Error', '$.failure.Cause'),
    [STATES.refused]: fail('$.failure.Error', '$.failure.Cause'),
  };
}
