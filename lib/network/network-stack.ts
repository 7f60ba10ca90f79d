import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import { SecurityGroups } from './security-groups.ts';
import { IsolatedVpc } from './vpc.ts';

/** Where everything else runs: the VPC and one security group a role. */
export class NetworkStack extends CutoverStack {
  readonly vpc: IVpc;
  readonly securityGroups: SecurityGroups;

  constructor(scope: Construct, props: CutoverStackProps) {
    super(scope, 'Network', props);
    this.vpc = new IsolatedVpc(this, 'Vpc', props);
    this.securityGroups = new SecurityGroups(this, 'SecurityGroups', { vpc: this.vpc });
  }
}
