import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { ROLLOUT_OUTPUTS } from '../../lambda/contract/outputs.ts';
import { CutoverFunction, type FunctionPlatform } from '../service/cutover-function.ts';
import type { Rollout } from '../stages.ts';
import { acknowledgeChanges, recordStatements } from './rollout/task-functions.ts';

const TIMEOUT_SECONDS = 240;

interface WeightedRecordsProps {
  readonly platform: FunctionPlatform;
  readonly rollout: Rollout;
  /** Of the API's domain, which is not the domain's own name. */
  readonly serverlessTarget: string;
}

/**
 * The records that share the clients out: all to the legacy backend at first. The weights are then moved by whoever rolls out or
 * back. So they are made by a function and not by CloudFormation, which would set the weights of its template again with whatever
 * else it changes of a record: a deployment changes targets, and leaves weights where they are. They stay when the stack goes.
 */
export class WeightedRecords extends Construct {
  constructor(scope: Construct, id: string, { platform, rollout, serverlessTarget }: WeightedRecordsProps) {
    super(scope, id);
    const { domainName, hostedZoneId, legacyTarget } = rollout;
    const fn = new CutoverFunction(this, 'Function', {
      platform,
      name: 'rollout-records',
      description: 'Makes the weighted records, and leaves their weights alone once they are there',
      settings: {
        ...{ HOSTED_ZONE_ID: hostedZoneId, RECORD_NAME: domainName },
        ...{ LEGACY_TARGET: legacyTarget, SERVERLESS_TARGET: serverlessTarget },
        LOG_LEVEL: platform.stage.logLevel,
      },
      endpoints: {},
      timeoutSeconds: TIMEOUT_SECONDS,
    });
    for (const statement of recordStatements(this, rollout)) fn.addToRolePolicy(statement);
    acknowledgeChanges(fn);
    new Trigger(this, 'Trigger', { handler: fn, timeout: Duration.seconds(TIMEOUT_SECONDS) });

    const stack = Stack.of(this);
    new CfnOutput(stack, ROLLOUT_OUTPUTS.hostedZoneId, { value: hostedZoneId });
    new CfnOutput(stack, ROLLOUT_OUTPUTS.recordName, { value: domainName });
  }
}
