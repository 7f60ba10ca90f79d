import { Fn, Validations } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { HOOK_TIMEOUT_SECONDS } from '../../lambda/contract/hooks.ts';
import { METRICS_NAMESPACE } from '../../lambda/contract/metrics.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';
import type { DeadLetters } from './dead-letters.ts';

interface HooksProps {
  readonly platform: FunctionPlatform;
  /** The API's function, whose current version is the one to prove. */
  readonly fn: LambdaFunction;
  /** On which the deployment is rolled back. */
  readonly alarms: readonly IAlarm[];
  readonly deadLetters: DeadLetters;
}

/**
 * What CodeDeploy asks before a new version gets traffic, and when it has all of it. Both call AWS, so they are outside of the VPC;
 * what is inside they learn from the version that they invoke. What moves the alias has to wait for them: they name the new version.
 */
export class Hooks extends Construct {
  readonly preTraffic: LambdaFunction;
  readonly postTraffic: LambdaFunction;

  constructor(scope: Construct, id: string, { platform, fn, alarms, deadLetters }: HooksProps) {
    super(scope, id);
    const { stage } = platform;
    const NEW_VERSION = fn.currentVersion.functionArn;
    const CANARY_MINUTES = String(stage.canary === 'all-at-once' ? 0 : stage.canary.minutes);
    const common = { platform, endpoints: {}, timeoutSeconds: HOOK_TIMEOUT_SECONDS };
    this.preTraffic = new CutoverFunction(this, 'PreTraffic', {
      ...common,
      name: 'pre-traffic',
      description: 'Proves that a new version of the API reaches its servers, and warms its cache',
      settings: {
        NODE_ENV: stage.nodeEnv,
        NEW_VERSION,
        CACHE_MODE: stage.cacheMode,
        CANARY_MINUTES,
        ROLLBACK_ALARMS: Fn.join(
          ',',
          alarms.map(({ alarmName }) => alarmName),
        ),
        LOG_LEVEL: stage.logLevel,
      },
    });
    this.preTraffic.addToRolePolicy(
      new PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } },
      }),
    );
    this.preTraffic.addToRolePolicy(
      new PolicyStatement({ actions: ['cloudwatch:DescribeAlarms'], resources: ['*'] }),
    );
    this.postTraffic = new CutoverFunction(this, 'PostTraffic', {
      ...common,
      name: 'post-traffic',
      description: 'Proves that a new version of the API answers from its cache, and judges its canary',
      settings: { NODE_ENV: stage.nodeEnv, NEW_VERSION, CANARY_MINUTES, LOG_LEVEL: stage.logLevel },
    });
    this.postTraffic.addToRolePolicy(
      new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
    );
    for (const hook of [this.preTraffic, this.postTraffic]) {
      this.mayInvokeVersions(hook, fn);
      deadLetters.keepFailuresOf(hook);
    }
  }

  /** By hand: `grantInvoke` would grant the function itself, too, which is whatever was uploaded last. */
  private mayInvokeVersions(hook: LambdaFunction, fn: LambdaFunction): void {
    hook.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [`${fn.functionArn}:*`] }),
    );
    Validations.of(hook).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${fn.stack.getLogicalId(fn.node.defaultChild as CfnFunction)}.Arn>:*]`,
      reason: 'The versions of the API: the next one has no number yet when the policy is made.',
    });
  }
}
