import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Unit } from 'aws-cdk-lib/aws-cloudwatch';
import type { Watched, WatchedFunction } from '../lambda/contract/alarms.ts';
import { AWS_METRICS, type AwsMetric } from '../lambda/contract/aws-metrics.ts';
import {
  type Dimension,
  METRIC_TYPES,
  METRICS_NAMESPACE,
  type MetricUnit,
  namespaceOf,
} from '../lambda/contract/metrics.ts';
import type { StageConfig } from './stages.ts';

/** What the metrics of a stage are of; each is asked for only by who looks at its metrics. */
export interface MetricSources {
  readonly stage: Pick<StageConfig, 'nodeEnv' | 'phase'>;
  readonly apiId?: string;
  /** The names of functions. */
  readonly functions?: Readonly<Record<WatchedFunction, string>>;
  /** A version as the alias invokes it. */
  readonly version?: { readonly functionName: string; readonly alias: string; readonly number: string };
  readonly nodeId?: string;
  readonly databaseClusterId?: string | undefined;
  readonly queueName?: string;
}

export interface MetricOptions {
  readonly sources: MetricSources;
  readonly periodSeconds: number;
  readonly label?: string;
}

const UNITS: Readonly<Record<MetricUnit, Unit>> = {
  Count: Unit.COUNT,
  Milliseconds: Unit.MILLISECONDS,
  Seconds: Unit.SECONDS,
  Percent: Unit.PERCENT,
};

/** A metric of one of the two registries, as it is recorded for this stage. */
export function metricOf(watched: Watched, { sources, periodSeconds, label }: MetricOptions): Metric {
  const { statistic } = watched;
  const common = { statistic, period: Duration.seconds(periodSeconds), label };
  if ('own' in watched) {
    const { unit, service } = METRIC_TYPES[watched.own];
    return new Metric({
      ...{ ...common, namespace: METRICS_NAMESPACE, metricName: watched.own, unit: UNITS[unit] },
      dimensionsMap: {
        ...{ service, environment: sources.stage.nodeEnv },
        ...(watched.by && { [watched.by]: dimensionValueOf(watched.by, watched.value, sources) }),
      },
    });
  }
  const metric: AwsMetric = AWS_METRICS[watched.aws];
  return new Metric({
    ...{ ...common, namespace: metric.namespace, metricName: metric.name },
    dimensionsMap: DIMENSIONS[metric.of](sources, watched.of),
  });
}

/** Several metrics, by their names in the expression. */
export function expressionOf(
  expression: string,
  metrics: Readonly<Record<string, Watched>>,
  { sources, periodSeconds, label }: MetricOptions,
): MathExpression {
  return new MathExpression({
    ...{ expression, label, period: Duration.seconds(periodSeconds) },
    usingMetrics: Object.fromEntries(
      Object.entries(metrics).map(([id, watched]) => [id, metricOf(watched, { sources, periodSeconds })]),
    ),
  });
}

function dimensionValueOf(dimension: Dimension, value: string | undefined, sources: MetricSources): string {
  if (value !== undefined) return value;
  if (dimension === 'version') return given(sources.version, 'version').number;
  if (dimension === 'namespace') return namespaceOf(sources.stage.phase);
  throw new Error('metrics: a metric by route names one; give it a value');
}

type DimensionsOf = (
  sources: MetricSources,
  of: WatchedFunction | undefined,
) => Readonly<Record<string, string>>;

const DIMENSIONS: Readonly<Record<AwsMetric['of'], DimensionsOf>> = {
  api: ({ apiId }) => ({ ApiId: given(apiId, 'apiId') }),
  function: ({ functions }, of) => ({ FunctionName: given(functions, 'functions')[given(of, 'of')] }),
  version(sources) {
    const { functionName, alias, number } = given(sources.version, 'version');
    return { FunctionName: functionName, Resource: `${functionName}:${alias}`, ExecutedVersion: number };
  },
  node: ({ nodeId }) => ({ CacheClusterId: given(nodeId, 'nodeId') }),
  database: ({ databaseClusterId }) => ({
    DBClusterIdentifier: given(databaseClusterId, 'databaseClusterId'),
  }),
  queue: ({ queueName }) => ({ QueueName: given(queueName, 'queueName') }),
};

function given<T>(source: T | undefined, name: string): T {
  if (source !== undefined) return source;
  throw new Error(`metrics: ${name} is not given; it is what the metric is of`);
}
