import { FlowLogDestination, IpAddresses, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { StageLogGroup } from '../stage-log-group.ts';
import type { StageConfig } from '../stages.ts';

/**
 * A VPC that nothing enters or leaves: isolated subnets in two zones, with neither a NAT gateway nor an
 * interface endpoint, each of which would cost more than the cache. Functions in it reach the cache and the
 * database; logs, metrics and traces leave through the Lambda service.
 */
export class IsolatedVpc extends Vpc {
  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id, {
      ipAddresses: IpAddresses.cidr('10.0.0.0/16'),
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
      restrictDefaultSecurityGroup: true,
    });
    this.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(new StageLogGroup(this, 'FlowLogs', stage)),
    });
  }
}
