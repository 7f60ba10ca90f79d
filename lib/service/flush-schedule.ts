import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../../lambda/contract/metrics.ts';
import { FLUSH_TIMEOUT_SECONDS } from '../../lambda/contract/operator.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';
import type { DeadLetters } from './dead-letters.ts';
import { invokeOnSchedule } from './invoke-on-schedule.ts';

interface FlushScheduleProps {
  readonly platform: FunctionPlatform;
  /** What talks to Redis. */
  readonly operator: IFunction;
  readonly deadLetters: DeadLetters;
}

/**
 * The flush, once a day: a dry run that counts and deletes nothing, unless the stage says otherwise. What the schedule invokes
 * calls AWS, so it is outside of the VPC; what it invokes in turn talks to Redis, so it is inside.
 */
export class FlushSchedule extends Construct {
  readonly fn: IFunction;

  constructor(scope: Construct, id: string, { platform, operator, deadLetters }: FlushScheduleProps) {
    super(scope, id);
    const { stage } = platform;
    const fn = new CutoverFunction(this, 'Function', {
      platform,
      name: 'flush',
      description: 'Has the cached keys flushed, and records what it was like for the cache and the database',
      settings: {
        NODE_ENV: stage.nodeEnv,
        OPERATOR_FUNCTION: operator.functionName,
        LOG_LEVEL: stage.logLevel,
      },
      endpoints: {},
      timeoutSeconds: FLUSH_TIMEOUT_SECONDS,
    });
    this.fn = fn;
    // By hand: `grantInvoke` would grant every version and alias, too.
    fn.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [operator.functionArn] }),
    );
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } },
      }),
    );
    fn.addToRolePolicy(new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }));
    invokeOnSchedule(this, {
      ...{ fn, deadLetters },
      description: `Flush of stage ${stage.name}${stage.flush.dryRun ? ' (dry run)' : ''}`,
      schedule: ScheduleExpression.cron({ minute: '0', hour: String(stage.flush.hourUtc) }),
    });
  }
}
