import type { RolloutStage } from '../../lambda/contract/rollout.ts';
import { rolloutDefinition } from '../../lib/operations/rollout/definition.ts';
import type { Definition } from '../machine/interpreter.ts';

/**
 * The definition that is deployed, made by the same function, with the functions' names for their ARNs; how long its states wait is said
 * when it is run.
 */
export const rehearsedDefinition = (stages: readonly RolloutStage[]): Definition =>
  rolloutDefinition({
    stages,
    functions: {
      'rollout-traffic': 'rollout-traffic',
      'rollout-gate': 'rollout-gate',
      'rollout-compare': 'rollout-compare',
      flush: 'flush',
    },
    topicArn: 'topic',
    stageName: 'rehearsal',
    flushTimeoutSeconds: 900,
    settleSeconds: 120,
    lookSeconds: 60,
    ownNamespace: 'v2',
  });
