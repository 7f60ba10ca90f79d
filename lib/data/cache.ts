import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Connections, type ISecurityGroup, type IVpc, Port, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { CfnParameterGroup, CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { RedisUser } from '../../lambda/contract/access.ts';
import { CACHE_PORT } from '../network/security-groups.ts';
import { removalPolicy } from '../removal.ts';
import { StageLogGroup } from '../stage-log-group.ts';
import type { CreatedCache, StageConfig } from '../stages.ts';
import { CacheUsers, elastiCacheArn } from './cache-users.ts';
import type { CacheEndpoints, Endpoint } from './endpoint.ts';

const ENGINES = {
  redis: { engineVersion: '7.1', parameterFamily: 'redis7' },
  valkey: { engineVersion: '8.0', parameterFamily: 'valkey8' },
} as const;

/** In UTC, apart from each other and from the scheduled flush. */
const SNAPSHOT_WINDOW = '00:30-01:30';
const MAINTENANCE_WINDOW = 'sun:05:00-sun:06:00';

export interface CacheProps {
  readonly stage: StageConfig;
  readonly cache: CreatedCache;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
}

/** The ElastiCache replication group that both backends share: encrypted, and open to its users only. */
export class Cache extends Construct implements CacheEndpoints {
  readonly serverless: Endpoint;
  readonly flush: Endpoint;
  readonly census: Endpoint;
  readonly runtime: Endpoint;
  readonly auditor: Endpoint;
  readonly nodeIds: readonly string[];
  readonly users: CacheUsers;
  /** The host name of the primary. */
  readonly host: string;

  constructor(scope: Construct, id: string, { stage, cache, vpc, securityGroup }: CacheProps) {
    super(scope, id);
    const { engine, nodeType, replicas, multiAz } = cache;
    const { engineVersion, parameterFamily } = ENGINES[engine];

    this.users = new CacheUsers(this, 'Users', { stage });
    const subnets = new CfnSubnetGroup(this, 'Subnets', {
      description: 'Isolated subnets',
      subnetIds: vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_ISOLATED }).subnetIds,
    });
    const parameters = new CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: parameterFamily,
      description: 'Under memory pressure only keys with a TTL go, those that expire first before others',
      // Sessions and cached lists share the memory: what has no TTL must never be evicted.
      properties: { 'maxmemory-policy': 'volatile-ttl' },
    });

    const group = new CfnReplicationGroup(this, 'ReplicationGroup', {
      replicationGroupDescription: `Cutover cache, stage ${stage.name}`,
      engine,
      engineVersion,
      cacheNodeType: nodeType,
      numCacheClusters: 1 + replicas,
      automaticFailoverEnabled: replicas > 0,
      multiAzEnabled: multiAz,
      port: CACHE_PORT,
      atRestEncryptionEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      userGroupIds: [this.users.groupId],
      cacheSubnetGroupName: subnets.ref,
      cacheParameterGroupName: parameters.ref,
      securityGroupIds: [securityGroup.securityGroupId],
      snapshotRetentionLimit: stage.keepsData ? 7 : 0,
      snapshotWindow: SNAPSHOT_WINDOW,
      preferredMaintenanceWindow: MAINTENANCE_WINDOW,
      autoMinorVersionUpgrade: true,
      logDeliveryConfigurations: this.logs(stage),
    });
    group.applyRemovalPolicy(removalPolicy(stage, RemovalPolicy.SNAPSHOT));

    this.nodeIds = Array.from(
      { length: 1 + replicas },
      (_, index) => `${group.ref}-${String(index + 1).padStart(3, '0')}`,
    );
    this.host = group.attrPrimaryEndPointAddress;

    const connections = new Connections({
      securityGroups: [securityGroup],
      defaultPort: Port.tcp(CACHE_PORT),
    });
    const admit = (
      user: RedisUser,
      variablesOf: (url: string) => Readonly<Record<string, string>>,
    ): Endpoint => ({
      grantConnect: (fn) => {
        const url = `rediss://${this.users.nameOf(user)}@${this.host}:${CACHE_PORT}`;
        for (const [variable, value] of Object.entries(variablesOf(url))) fn.addEnvironment(variable, value);
        fn.addToRolePolicy(
          new PolicyStatement({
            actions: ['elasticache:Connect'],
            resources: [elastiCacheArn(this, 'replicationgroup', group.ref), this.users.arnOf(user)],
          }),
        );
        connections.allowDefaultPortFrom(fn, 'Functions to the cache');
      },
    });
    const asUser = (url: string) => ({
      REDIS_URL: url,
      REDIS_AUTH: 'iam',
      REDIS_PASSWORD: '',
      // One shard.
      REDIS_CLUSTER: '0',
      REDIS_IAM_CACHE: group.ref,
    });
    this.serverless = admit('serverless', asUser);
    this.flush = admit('flush', asUser);
    this.census = admit('census', (url) => ({ CENSUS_REDIS_URL: url }));
    this.runtime = admit('serverless', (url) => ({ RUNTIME_REDIS_URL: url }));
    this.auditor = admit('auditor', asUser);

    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AEC5',
      reason: 'The port is a requirement; the rules between security groups are what keeps others out.',
    });
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AEC6',
      reason: 'Its users show who they are, which is more than one token for all.',
    });
    if (!multiAz) {
      Validations.of(group).acknowledge({
        id: 'AwsSolutions-AEC4',
        reason: `Stage ${stage.name} has one node on purpose: it keeps no data and pays for no replica.`,
      });
    }
  }

  private logs(stage: StageConfig): CfnReplicationGroup.LogDeliveryConfigurationRequestProperty[] {
    return (['slow-log', 'engine-log'] as const).map((logType) => ({
      logType,
      logFormat: 'json',
      destinationType: 'cloudwatch-logs',
      destinationDetails: {
        cloudWatchLogsDetails: { logGroup: new StageLogGroup(this, logType, stage).logGroupName },
      },
    }));
  }
}
