import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Connections, type IConnectable, type ISecurityGroup, type IVpc, Port } from 'aws-cdk-lib/aws-ec2';
import { CfnParameterGroup, CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { CACHE_PORT } from '../network/security-groups.ts';
import { removalPolicy } from '../removal.ts';
import type { StageConfig } from '../stages.ts';
import type { Endpoint } from './endpoint.ts';
import { UrlSafeSecret } from './url-safe-secret.ts';

const ENGINES = {
  redis: { engineVersion: '7.1', parameterFamily: 'redis7' },
  valkey: { engineVersion: '8.0', parameterFamily: 'valkey8' },
} as const;

interface CacheProps {
  readonly stage: StageConfig;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
}

/** The ElastiCache replication group that both backends share: encrypted, and closed without the token. */
export class Cache extends Construct implements Endpoint, IConnectable {
  readonly connections: Connections;
  /** The ids of the nodes, under which CloudWatch keeps their metrics. */
  readonly nodeIds: readonly string[];
  private readonly url: string;

  constructor(scope: Construct, id: string, { stage, vpc, securityGroup }: CacheProps) {
    super(scope, id);
    const { engine, nodeType, replicas } = stage.cache;
    const { engineVersion, parameterFamily } = ENGINES[engine];
    const hasReplica = replicas > 0;
    this.connections = new Connections({
      securityGroups: [securityGroup],
      defaultPort: Port.tcp(CACHE_PORT),
    });

    const token = new UrlSafeSecret(this, 'Token', { stage, description: 'AUTH token of the cache' });
    const subnets = new CfnSubnetGroup(this, 'Subnets', {
      description: 'Isolated subnets',
      subnetIds: vpc.isolatedSubnets.map((subnet) => subnet.subnetId),
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
      automaticFailoverEnabled: hasReplica,
      multiAzEnabled: hasReplica,
      port: CACHE_PORT,
      atRestEncryptionEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      authToken: token.passwordReference,
      cacheSubnetGroupName: subnets.ref,
      cacheParameterGroupName: parameters.ref,
      securityGroupIds: [securityGroup.securityGroupId],
      snapshotRetentionLimit: stage.keepsData ? 7 : 0,
      autoMinorVersionUpgrade: true,
    });
    group.applyRemovalPolicy(removalPolicy(stage, RemovalPolicy.SNAPSHOT));

    this.nodeIds = Array.from(
      { length: 1 + replicas },
      (_, index) => `${group.ref}-${String(index + 1).padStart(3, '0')}`,
    );
    this.url = `rediss://:${token.passwordReference}@${group.attrPrimaryEndPointAddress}:${CACHE_PORT}`;

    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AEC5',
      reason: 'The port is a requirement; the rules between security groups are what keeps others out.',
    });
    if (!hasReplica) {
      Validations.of(group).acknowledge({
        id: 'AwsSolutions-AEC4',
        reason: `Stage ${stage.name} has one node on purpose: it keeps no data and pays for no replica.`,
      });
    }
  }

  grantConnect(fn: LambdaFunction): void {
    fn.addEnvironment('REDIS_URL', this.url);
    fn.addEnvironment('REDIS_AUTH', 'url');
    // One shard.
    fn.addEnvironment('REDIS_CLUSTER', '0');
    fn.addEnvironment('REDIS_IAM_CACHE', '');
    this.connections.allowDefaultPortFrom(fn, 'Functions to the cache');
  }
}
