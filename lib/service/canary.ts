import { Duration, Validations } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import {
  type ILambdaDeploymentConfig,
  LambdaDeploymentConfig,
  LambdaDeploymentGroup,
  TimeBasedCanaryTrafficRouting,
} from 'aws-cdk-lib/aws-codedeploy';
import { Alias, type CfnFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ALIAS_NAME } from '../../lambda/contract/hooks.ts';
import type { StageConfig } from '../stages.ts';
import type { Hooks } from './hooks.ts';

interface CanaryProps {
  readonly stage: StageConfig;
  readonly fn: LambdaFunction;
  /** On which it goes back. */
  readonly alarms: readonly IAlarm[];
  readonly hooks: Pick<Hooks, 'preTraffic' | 'postTraffic'>;
}

/**
 * The alias that takes the traffic, and what moves it to a new version: CodeDeploy asks a hook, gives the version a small share, waits,
 * gives it the rest and asks another hook; or takes all of it back when a hook or an alarm says so.
 */
export class Canary extends Construct {
  readonly alias: Alias;
  readonly group: LambdaDeploymentGroup;

  constructor(scope: Construct, id: string, { stage, fn, alarms, hooks }: CanaryProps) {
    super(scope, id);
    this.alias = new Alias(this, 'Alias', { aliasName: ALIAS_NAME, version: fn.currentVersion });
    this.group = new LambdaDeploymentGroup(this, 'DeploymentGroup', {
      alias: this.alias,
      deploymentConfig: this.configOf(stage),
      alarms: [...alarms],
      preHook: hooks.preTraffic,
      postHook: hooks.postTraffic,
      autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
    });
    // Moved last: the hooks have to know the new version by then, and CodeDeploy has to be allowed to invoke them.
    this.alias.node.addDependency(this.group, hooks.preTraffic, hooks.postTraffic);
    Validations.of(this.group).acknowledge(
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
        reason: 'The policy that AWS keeps for CodeDeploy on Lambda.',
      },
      ...[hooks.preTraffic, hooks.postTraffic].map((hook) => ({
        id: `AwsSolutions-IAM5[Resource::<${hook.stack.getLogicalId(hook.node.defaultChild as CfnFunction)}.Arn>:*]`,
        reason: 'The versions of a hook, which is what CodeDeploy invokes.',
      })),
    );
  }

  private configOf({ canary }: StageConfig): ILambdaDeploymentConfig {
    if (canary === 'all-at-once') return LambdaDeploymentConfig.ALL_AT_ONCE;
    return new LambdaDeploymentConfig(this, 'Config', {
      trafficRouting: new TimeBasedCanaryTrafficRouting({
        percentage: canary.percent,
        interval: Duration.minutes(canary.minutes),
      }),
    });
  }
}
