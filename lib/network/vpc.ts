import { Annotations } from 'aws-cdk-lib';
import { FlowLogDestination, IpAddresses, type IVpc, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { StageLogGroup } from '../stage-log-group.ts';
import type { ExistingVpc, StageConfig } from '../stages.ts';

interface IsolatedVpcProps {
  readonly stage: StageConfig;
  readonly cidr: string;
}

/**
 * A VPC that nothing enters or leaves: isolated subnets in two zones, with neither a NAT gateway nor, unless
 * told, an interface endpoint, each of which would cost more than the cache. Functions in it reach the cache and the
 * database; logs, metrics and traces leave through the Lambda service.
 */
export class IsolatedVpc extends Vpc {
  constructor(scope: Construct, id: string, { stage, cidr }: IsolatedVpcProps) {
    super(scope, id, {
      ipAddresses: IpAddresses.cidr(cidr),
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

/** A VPC that is there. By its ids and not looked up, which would take credentials. */
export function existingVpc(scope: Construct, id: string, existing: ExistingVpc): IVpc {
  const { vpcId, availabilityZones, isolatedSubnetIds } = existing;
  const vpc = Vpc.fromVpcAttributes(scope, id, {
    vpcId,
    availabilityZones: [...availabilityZones],
    isolatedSubnetIds: [...isolatedSubnetIds],
  });
  for (const subnet of vpc.isolatedSubnets) {
    // Nothing is routed here: only what makes endpoints and gateways asks for the tables.
    Annotations.of(subnet).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
  }
  return vpc;
}
