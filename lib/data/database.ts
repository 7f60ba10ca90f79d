import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Connections, type ISecurityGroup, type IVpc, Port, SubnetType } from 'aws-cdk-lib/aws-ec2';
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
import { type CreatedDatabase, databasePauses, type StageConfig } from '../stages.ts';
import { databaseUrl, setDatabaseVariables } from './database-variables.ts';
import type { Endpoint } from './endpoint.ts';
import { UrlSafeSecret } from './url-safe-secret.ts';

const DATABASE_NAME = 'cutover';
const OWNER = 'cutover';
/** Who the functions are in a database of the stage's own: made by the migration, which gives it what they need. */
export const APP_ROLE = 'cutover_app';
/** The shortest that Aurora takes. */
const PAUSE_AFTER = Duration.minutes(5);

/** A database as functions connect to it. */
export interface Database extends Endpoint {
  /** The same as who may change the schema. */
  readonly owner: Endpoint;
  /** Under which CloudWatch keeps its metrics; undefined of a database that is not ours. */
  readonly clusterId: string | undefined;
}

interface AuroraProps {
  readonly stage: StageConfig;
  readonly database: CreatedDatabase;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
}

/**
 * Aurora PostgreSQL, Serverless v2: the one source of truth that both backends write. The functions are a role that changes rows
 * only, and show it IAM tokens; the migration is the owner, with a generated password.
 */
export class AuroraDatabase extends Construct implements Database {
  readonly owner: Endpoint;
  readonly clusterId: string;
  readonly #cluster: DatabaseCluster;
  readonly #connections: Connections;
  readonly #pauses: boolean;

  constructor(scope: Construct, id: string, { stage, database, vpc, securityGroup }: AuroraProps) {
    super(scope, id);
    const { minCapacityUnits, maxCapacityUnits, readers } = database;
    this.#pauses = databasePauses(stage);
    // Not the cluster's own connections: their port is an attribute of the cluster, and a rule in the network
    // stack that refers to the data stack would be a cycle.
    this.#connections = new Connections({
      securityGroups: [securityGroup],
      defaultPort: Port.tcp(DATABASE_PORT),
    });
    const credentials = new UrlSafeSecret(this, 'Credentials', {
      stage,
      description: 'Owner of the database',
      username: OWNER,
    });

    this.#cluster = new DatabaseCluster(this, 'Cluster', {
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
      serverlessV2AutoPauseDuration: this.#pauses ? PAUSE_AFTER : undefined,
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
    this.clusterId = this.#cluster.clusterIdentifier;
    this.owner = {
      grantConnect: (fn) => this.#connect(fn, { user: OWNER, password: credentials.passwordReference }),
    };

    if (!stage.keepsData) {
      Validations.of(this.#cluster).acknowledge({
        id: 'AwsSolutions-RDS10',
        reason: `Stage ${stage.name} keeps no data: it must be possible to destroy it.`,
      });
    }
  }

  grantConnect(fn: LambdaFunction): void {
    this.#connect(fn, { user: APP_ROLE });
    this.#cluster.grantConnect(fn, APP_ROLE);
  }

  /** Without a password the function makes IAM tokens. */
  #connect(fn: LambdaFunction, { user, password }: { user: string; password?: string }): void {
    const { hostname } = this.#cluster.clusterEndpoint;
    setDatabaseVariables(fn, {
      DATABASE_URL: databaseUrl({ user, host: hostname, port: DATABASE_PORT, databaseName: DATABASE_NAME }),
      DATABASE_AUTH: password === undefined ? 'iam' : 'url',
      DATABASE_PASSWORD: password ?? '',
      DATABASE_IDLE: this.#pauses ? 'close' : 'keep',
    });
    this.#connections.allowDefaultPortFrom(fn, 'Functions to the database');
  }
}
