import { type ISecurityGroup, type IVpc, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';

/** The port that a cache of the stage's own listens on. */
export const CACHE_PORT = 6379;
/** The port that a database of the stage's own listens on. */
export const DATABASE_PORT = 5432;

/** The port that the stage's cache listens on, its own or an existing one. */
export const cachePort = ({ cache }: Pick<StageConfig, 'cache'>): number =>
  'existing' in cache ? cache.existing.port : CACHE_PORT;

/** The port that the stage's database listens on, its own or an existing one. */
export const databasePort = ({ database }: Pick<StageConfig, 'database'>): number =>
  'existing' in database ? database.existing.port : DATABASE_PORT;

interface SecurityGroupsProps {
  readonly stage: StageConfig;
  readonly vpc: IVpc;
}

/**
 * One group a role, and none of those made here open to anything, outbound included; an existing server keeps its own. The rules
 * for functions are made where a function is given an endpoint (`grantConnect`), so that no rule outlives its use; the rules for
 * the legacy backend, which is not deployed here, are made here. All of them are of this stack, those of existing groups too.
 */
export class SecurityGroups extends Construct {
  readonly lambda: SecurityGroup;
  readonly cache: ISecurityGroup;
  readonly database: ISecurityGroup;

  constructor(scope: Construct, id: string, { stage, vpc }: SecurityGroupsProps) {
    super(scope, id);
    const made = (role: string, description: string): SecurityGroup =>
      new SecurityGroup(this, role, { vpc, description, allowAllOutbound: false });
    // Its outbound rules are its owner's: a server answers, and needs none.
    const existing = (role: string, groupId: string): ISecurityGroup =>
      SecurityGroup.fromSecurityGroupId(this, role, groupId, { mutable: true });
    const { cache, database, legacySecurityGroupIds } = stage;

    this.lambda = made('Lambda', 'Functions that use the cache and the database');
    this.cache =
      'existing' in cache
        ? existing('Cache', cache.existing.securityGroupId)
        : made('Cache', 'The ElastiCache replication group');
    this.database =
      'existing' in database
        ? existing('Database', database.existing.securityGroupId)
        : made('Database', 'The Aurora PostgreSQL cluster');

    for (const groupId of legacySecurityGroupIds) {
      this.cache.addIngressRule(
        Peer.securityGroupId(groupId),
        Port.tcp(cachePort(stage)),
        'The legacy backend to the cache',
      );
    }
  }
}
