import { type IVpc, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

/** The port that the cache listens on. */
export const CACHE_PORT = 6379;
/** The port that the database listens on. */
export const DATABASE_PORT = 5432;

/**
 * One group a role, and none of them open to anything, outbound included. The rules between them are made
 * where a function is given an endpoint (`grantConnect`), so that no rule outlives its use.
 */
export class SecurityGroups extends Construct {
  readonly lambda: SecurityGroup;
  readonly cache: SecurityGroup;
  readonly database: SecurityGroup;

  constructor(scope: Construct, id: string, { vpc }: { readonly vpc: IVpc }) {
    super(scope, id);
    const group = (role: string, description: string): SecurityGroup =>
      new SecurityGroup(this, role, { vpc, description, allowAllOutbound: false });

    this.lambda = group('Lambda', 'Functions that use the cache and the database');
    this.cache = group('Cache', 'The ElastiCache replication group');
    this.database = group('Database', 'The Aurora PostgreSQL cluster');
  }
}
