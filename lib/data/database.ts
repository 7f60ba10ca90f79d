import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  Connections,
  type IConnectable,
  type ISecurityGroup,
  type IVpc,
  Port,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { DATABASE_PORT } from '../network/security-groups.ts';
import { removalPolicy } from '../removal.ts';
import type { StageConfig } from '../stages.ts';
import type { Endpoint } from './endpoint.ts';
import { UrlSafeSecret } from './url-safe-secret.ts';

const DATABASE_NAME = 'cutover';
const USERNAME = 'cutover';

interface DatabaseProps {
  readonly stage: StageConfig;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
}

/** Aurora PostgreSQL, Serverless v2: the one source of truth that both backends write. */
export class Database extends Construct implements Endpoint, IConnectable {
  readonly connections: Connections;
  private readonly url: string;

  constructor(scope: Construct, id: string, { stage, vpc, securityGroup }: DatabaseProps) {
    super(scope, id);
    const { minCapacityUnits, maxCapacityUnits, readers } = stage.database;
    // Not the cluster's own connections: their port is an attribute of the cluster, and a rule in the network
    // stack that refers to the data stack would be a cycle.
    this.connections = new Connections({
      securityGroups: [securityGroup],
      defaultPort: Port.tcp(DATABASE_PORT),
    });
    const credentials = new UrlSafeSecret(this, 'Credentials', {
      stage,
      description: 'Owner of the database',
      username: USERNAME,
    });

    const cluster = new DatabaseCluster(this, 'Cluster', {
      // The version that the rehearsal embeds.
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_18_4 }),
      credentials: Credentials.fromSecret(credentials),
      defaultDatabaseName: DATABASE_NAME,
      port: DATABASE_PORT,
      iamAuthentication: true,
      storageEncrypted: true,
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [securityGroup],
      serverlessV2MinCapacity: minCapacityUnits,
      serverlessV2MaxCapacity: maxCapacityUnits,
      writer: ClusterInstance.serverlessV2('Writer', { publiclyAccessible: false }),
      readers: Array.from({ length: readers }, (_, index) =>
        // A reader that scales with the writer can take its place at any moment.
        ClusterInstance.serverlessV2(`Reader${index + 1}`, {
          publiclyAccessible: false,
          scaleWithWriter: true,
        }),
      ),
      deletionProtection: stage.keepsData,
      removalPolicy: removalPolicy(stage, RemovalPolicy.SNAPSHOT),
    });

    const { hostname } = cluster.clusterEndpoint;
    this.url = `postgresql://${USERNAME}:${credentials.passwordReference}@${hostname}:${DATABASE_PORT}/${DATABASE_NAME}?sslmode=verify-full`;

    if (!stage.keepsData) {
      Validations.of(cluster).acknowledge({
        id: 'AwsSolutions-RDS10',
        reason: `Stage ${stage.name} keeps no data: it must be possible to destroy it.`,
      });
    }
  }

  grantConnect(fn: LambdaFunction): void {
    fn.addEnvironment('DATABASE_URL', this.url);
    this.connections.allowDefaultPortFrom(fn, 'Functions to the database');
  }
}
