import { Duration, Validations } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import {
  LambdaDeploymentConfig,
  LambdaDeploymentGroup,
  TimeBasedCanaryTrafficRouting,
} from 'aws-cdk-lib/aws-codedeploy';
import { Alias, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';

const ALIAS_NAME = 'live';
const MAX_ERROR_PERCENT = 1;

interface CanaryProps {
  readonly stage: StageConfig;
  readonly fn: LambdaFunction;
}

/**
 * The alias that takes the traffic, and what moves it to a new version: CodeDeploy gives the version a small
 * share, waits, and gives it the rest, or takes all of it back when the alarm says so.
 */
export class Canary extends Construct {
  readonly alias: Alias;

  constructor(scope: Construct, id: string, { stage, fn }: CanaryProps) {
    super(scope, id);
    this.alias = new Alias(this, 'Alias', { aliasName: ALIAS_NAME, version: fn.currentVersion });

    const deploymentConfig = new LambdaDeploymentConfig(this, 'Config', {
      trafficRouting: new TimeBasedCanaryTrafficRouting({
        percentage: stage.canary.percent,
        interval: Duration.minutes(stage.canary.minutes),
      }),
    });
    const group = new LambdaDeploymentGroup(this, 'DeploymentGroup', {
      alias: this.alias,
      deploymentConfig,
      alarms: [this.errorsOfNewVersion(fn)],
      autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
    });
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
      reason: 'The policy that AWS keeps for CodeDeploy on Lambda.',
    });
  }

  /**
   * Only the new version's errors: at 5 % of the traffic a version that fails every time would show as 5 %
   * of the alias's. The alias is named by text, since CodeDeploy's group refers to the alarm and the alias
   * to the group: a reference back to it would be a cycle.
   */
  private errorsOfNewVersion(fn: LambdaFunction): Alarm {
    const metric = (metricName: string): Metric =>
      new Metric({
        namespace: 'AWS/Lambda',
        metricName,
        statistic: 'Sum',
        period: Duration.minutes(1),
        dimensionsMap: {
          FunctionName: fn.functionName,
          Resource: `${fn.functionName}:${ALIAS_NAME}`,
          ExecutedVersion: fn.currentVersion.version,
        },
      });
    return new Alarm(this, 'NewVersionErrors', {
      alarmDescription: `More than ${MAX_ERROR_PERCENT} % of the new version's invocations fail: CodeDeploy rolls back`,
      metric: new MathExpression({
        expression: '100 * errors / invocations',
        usingMetrics: { errors: metric('Errors'), invocations: metric('Invocations') },
        label: 'errors of the new version, %',
        period: Duration.minutes(1),
      }),
      threshold: MAX_ERROR_PERCENT,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      // One failure in a quiet minute is not a bad version; two bad minutes of three are.
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
