import {
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  Port,
  SecurityGroup,
  SubnetType,
  type Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

interface InterfaceEndpointsProps {
  readonly vpc: Vpc;
  /** As AWS names them after `com.amazonaws.{region}.`: `secretsmanager`, `logs`, `monitoring`. */
  readonly services: readonly string[];
  /** Who may use them. */
  readonly users: SecurityGroup;
}

/** The AWS services that can be reached in the VPC, by HTTPS and by the functions only. */
export class InterfaceEndpoints extends Construct {
  constructor(scope: Construct, id: string, { vpc, services, users }: InterfaceEndpointsProps) {
    super(scope, id);
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Interface endpoints of AWS services',
      allowAllOutbound: false,
    });
    securityGroup.connections.allowFrom(users, Port.HTTPS, 'Functions to AWS services');
    for (const service of services) {
      new InterfaceVpcEndpoint(this, service, {
        vpc,
        service: new InterfaceVpcEndpointAwsService(service),
        subnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
        securityGroups: [securityGroup],
        // Else it would admit the whole VPC.
        open: false,
      });
    }
  }
}
