import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import {
  type AlarmDefinition,
  type AlarmName,
  runbookOf,
  type StageFacts,
} from '../lambda/contract/alarms.ts';
import { expressionOf, type MetricSources, metricOf } from './metrics.ts';
import { databasePauses, type StageConfig } from './stages.ts';

export interface AlarmOfOptions {
  readonly facts: StageFacts;
  readonly sources: MetricSources;
  /** Put behind what it says. */
  readonly note?: string;
}

/** An alarm as the registry describes it; its text names its article, which is what somebody reads at 3 a.m. */
export function alarmOf(
  scope: Construct,
  id: string,
  [name, definition]: readonly [AlarmName, AlarmDefinition],
  { facts, sources, note = '' }: AlarmOfOptions,
): Alarm {
  const { says, metrics, expression, threshold, periodSeconds, periods, severity } = definition;
  const options = { sources, periodSeconds };
  const [only, ...more] = Object.values(metrics);
  if (!only || (more.length > 0 && expression === undefined)) {
    throw new Error(`alarms: ${name} looks at several metrics; give it an expression of them`);
  }
  return new Alarm(scope, id, {
    alarmDescription: `${says}${note} (${severity}). What to do: ${runbookOf(name)}`,
    metric:
      expression === undefined
        ? metricOf(only, options)
        : expressionOf(expression, metrics, { ...options, label: says }),
    threshold: typeof threshold === 'number' ? threshold : threshold(facts),
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    datapointsToAlarm: periods.bad,
    evaluationPeriods: periods.of,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
}

/** `CacheMissRate` of `cache-miss-rate`. */
export const constructIdOf = (name: string): string =>
  name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

/** Of one Aurora capacity unit, at the least: 189 is what the guide of Aurora names for one, and of more it is more. */
const CONNECTIONS_OF_A_UNIT = 189;
/** Where the smallest capacity is half a unit or none, whatever the largest is. */
const MAX_CONNECTIONS_OF_SMALL = 2000;

/** What a stage's alarms depend on. */
export function factsOf(stage: StageConfig): StageFacts {
  const { phase, canary, cache, database } = stage;
  const isCreated = !('existing' in database);
  const most = isCreated ? database.maxCapacityUnits * CONNECTIONS_OF_A_UNIT : undefined;
  const isSmall = isCreated && database.minCapacityUnits <= 0.5;
  return {
    phase,
    hasCanary: canary !== 'all-at-once',
    dispatches: !databasePauses(stage),
    node: 'existing' in cache ? undefined : { ...nodeOf(cache.nodeType), hasReplicas: cache.replicas > 0 },
    maxDatabaseConnections: most && (isSmall ? Math.min(most, MAX_CONNECTIONS_OF_SMALL) : most),
  };
}

/**
 * What a node of a type has, as far as alarms ask: all small ones and the `large` have two cores, but those of t2; all but the micro
 * have more than a GiB of memory (the user guide of ElastiCache, "Supported node types").
 */
function nodeOf(nodeType: string): { cores: number; memoryGib: number } {
  const [, family = '', size = ''] = nodeType.split('.');
  const isSmall = /^(micro|small|medium|large)$/.test(size);
  const isSingle = family === 't2' && size !== 'medium';
  return { cores: isSingle ? 1 : isSmall ? 2 : 4, memoryGib: size === 'micro' ? 0.5 : 1.37 };
}
