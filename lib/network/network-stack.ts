import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import { InterfaceEndpoints } from './interface-endpoints.ts';
import { SecurityGroups } from './security-groups.ts';
import { existingVpc, IsolatedVpc } from './vpc.ts';

/** Where everything else runs: the VPC, a new one or an existing one, and one security group a role. */
export class NetworkStack extends CutoverStack {
  readonly vpc: IVpc;
  readonly securityGroups: SecurityGroups;

  constructor(scope: Construct, props: CutoverStackProps) {
    super(scope, 'Network', props);
    const { stage } = props;
    if ('existing' in stage.vpc) {
      this.vpc = existingVpc(this, 'Vpc', stage.vpc.existing);
      this.securityGroups = new SecurityGroups(this, 'SecurityGroups', { stage, vpc: this.vpc });
      return;
    }
    const { cidr, interfaceEndpoints: services } = stage.vpc;
    const vpc = new IsolatedVpc(this, 'Vpc', { stage, cidr });
    this.vpc = vpc;
    this.securityGroups = new SecurityGroups(this, 'SecurityGroups', { stage, vpc });
    if (services.length > 0) {
      new InterfaceEndpoints(this, 'Endpoints', { vpc, services, users: this.securityGroups.lambda });
    }
  }
}
