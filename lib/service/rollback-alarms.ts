import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import {
  API_SERVICE,
  HOOK_METRICS,
  METRICS,
  METRICS_NAMESPACE,
  PRE_TRAFFIC_SERVICE,
  type VersionDimensions,
} from '../../lambda/contract/metrics.ts';
import type { StageConfig } from '../stages.ts';

/**
 * What has the traffic. Alarms name it by text: CodeDeploy's group refers to them and the alias to the group, so that a reference back
 * would be a cycle.
 */
export const ALIAS_NAME = 'live';

const MAX_ERROR_PERCENT = 1;
const MAX_P95_MS = 200;
const MAX_REDIS_FAILURES = 5;
const MAX_SILENT_MINUTES = 10;
const MINUTE = Duration.minutes(1);

interface RollbackAlarmsProps {
  readonly stage: StageConfig;
  readonly fn: LambdaFunction;
}

/** Above a threshold, in so many minutes of so many. */
interface Limit {
  readonly threshold: number;
  readonly minutes: { readonly bad: number; readonly of: number };
}

/**
 * What takes a new version's traffic away again. All of them look at that version alone: at 5 % of the traffic a version that fails
 * every time is 5 % of the alias's. The hit rate is none of them: a flush lowers it, and so does a canary, which begins cold.
 */
export class RollbackAlarms extends Construct {
  /** At most 10, which is what a deployment group takes. */
  readonly alarms: readonly Alarm[];
  private readonly props: RollbackAlarmsProps;

  constructor(scope: Construct, id: string, props: RollbackAlarmsProps) {
    super(scope, id);
    this.props = props;
    this.alarms = [
      this.errors(),
      this.slowness(),
      this.redisFailures(),
      // Who gets all traffic at once is not waited for.
      ...(props.stage.canary === 'all-at-once' ? [] : [this.silence()]),
    ];
  }

  /** Answers above 499 are errors, too: a handler that answers 500 has not failed for Lambda. */
  private errors(): Alarm {
    const metric = new MathExpression({
      expression: '100 * (FILL(errors, 0) + FILL(serverErrors, 0)) / invocations',
      usingMetrics: {
        errors: this.ofLambda('Errors', 'Sum'),
        serverErrors: this.ofApi(METRICS.serverErrors),
        invocations: this.ofLambda('Invocations', 'Sum'),
      },
      label: 'errors of the new version, %',
      period: MINUTE,
    });
    // One failure in a quiet minute is not a bad version; two bad minutes of three are.
    return this.alarm('Errors', metric, {
      description: `More than ${MAX_ERROR_PERCENT} % of the new version's requests fail`,
      limit: { threshold: MAX_ERROR_PERCENT, minutes: { bad: 2, of: 3 } },
    });
  }

  private slowness(): Alarm {
    // Its first requests find every sandbox cold.
    return this.alarm('Slowness', this.ofLambda('Duration', 'p95'), {
      description: `One in twenty of the new version's requests takes more than ${MAX_P95_MS} ms`,
      limit: { threshold: MAX_P95_MS, minutes: { bad: 3, of: 5 } },
    });
  }

  private redisFailures(): Alarm {
    return this.alarm('RedisFailures', this.ofApi(METRICS.redisConnectionFailures), {
      description: `The new version has lost, or could not open, more than ${MAX_REDIS_FAILURES} connections to Redis in a minute`,
      limit: { threshold: MAX_REDIS_FAILURES, minutes: { bad: 1, of: 1 } },
    });
  }

  /** Only while the hook before the traffic has said that there has to be some: before a deployment nobody invokes its version. */
  private silence(): Alarm {
    const metric = new MathExpression({
      expression: 'IF(FILL(expected, 0) > 0 AND FILL(invocations, 0) < 1, 1, 0)',
      usingMetrics: {
        expected: this.ofVersion(HOOK_METRICS.canaryExpected, PRE_TRAFFIC_SERVICE),
        invocations: this.ofLambda('Invocations', 'Sum'),
      },
      label: 'minutes without the traffic that has to come',
      period: MINUTE,
    });
    return this.alarm('Silence', metric, {
      description: `Nobody has invoked the new version for ${MAX_SILENT_MINUTES} minutes of its canary`,
      limit: { threshold: 0, minutes: { bad: MAX_SILENT_MINUTES, of: MAX_SILENT_MINUTES } },
    });
  }

  private alarm(
    id: string,
    metric: IMetric,
    { description, limit }: { description: string; limit: Limit },
  ): Alarm {
    return new Alarm(this, id, {
      alarmDescription: `${description}: CodeDeploy rolls back`,
      metric,
      threshold: limit.threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm: limit.minutes.bad,
      evaluationPeriods: limit.minutes.of,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }

  /** Of the new version as the alias invokes it. */
  private ofLambda(metricName: 'Errors' | 'Invocations' | 'Duration', statistic: string): Metric {
    const { fn } = this.props;
    return new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      statistic,
      period: MINUTE,
      dimensionsMap: {
        FunctionName: fn.functionName,
        Resource: `${fn.functionName}:${ALIAS_NAME}`,
        ExecutedVersion: fn.currentVersion.version,
      },
    });
  }

  private ofApi(metricName: string): Metric {
    return this.ofVersion(metricName, API_SERVICE);
  }

  private ofVersion(metricName: string, service: string): Metric {
    const { stage, fn } = this.props;
    const dimensions: VersionDimensions = {
      service,
      environment: stage.nodeEnv,
      version: fn.currentVersion.version,
    };
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      statistic: 'Sum',
      period: MINUTE,
      dimensionsMap: { ...dimensions },
    });
  }
}
