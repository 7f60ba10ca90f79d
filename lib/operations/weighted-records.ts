import { CfnOutput, Stack } from 'aws-cdk-lib';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { type Backend, ROLLOUT_OUTPUTS, SET_IDENTIFIERS } from '../../lambda/contract/outputs.ts';
import type { Rollout } from '../stages.ts';

/** How long clients may go on with a backend whose weight is 0; it is what the way back takes, too. */
const TTL_SECONDS = 60;

interface WeightedRecordsProps {
  readonly rollout: Rollout;
  /** Of the API's domain, which is not the domain's own name. */
  readonly serverlessTarget: string;
}

/**
 * The records that share the clients out: all to the legacy backend at first. The weights are then moved by whoever rolls out or
 * back, and a deployment leaves them where they are, as long as it changes nothing else of a record.
 */
export class WeightedRecords extends Construct {
  constructor(scope: Construct, id: string, { rollout, serverlessTarget }: WeightedRecordsProps) {
    super(scope, id);
    const { domainName, hostedZoneId, legacyTarget } = rollout;
    const addRecord = (constructId: string, backend: Backend, target: string, weight: number) =>
      new CfnRecordSet(this, constructId, {
        hostedZoneId,
        name: domainName,
        type: 'CNAME',
        ttl: String(TTL_SECONDS),
        setIdentifier: SET_IDENTIFIERS[backend],
        weight,
        resourceRecords: [target],
      });
    const legacy = addRecord('Legacy', 'legacy', legacyTarget, 100);
    // A record of weight 0 that is alone gets every client.
    addRecord('Serverless', 'serverless', serverlessTarget, 0).addResourceDependency(legacy);

    const stack = Stack.of(this);
    new CfnOutput(stack, ROLLOUT_OUTPUTS.hostedZoneId, { value: hostedZoneId });
    new CfnOutput(stack, ROLLOUT_OUTPUTS.recordName, { value: domainName });
  }
}
