import { Connections, type ISecurityGroup, Port } from 'aws-cdk-lib/aws-ec2';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ExistingDatabaseServer } from '../stages.ts';
import type { Database } from './database.ts';
import { databaseUrl, setDatabaseVariables } from './database-variables.ts';

interface ExistingDatabaseProps {
  readonly existing: ExistingDatabaseServer;
  readonly securityGroup: ISecurityGroup;
}

/**
 * A PostgreSQL that is there, on RDS or Aurora, whose certificate the functions know. All functions are the user of its secret,
 * who has to own the tables that the registry names, or may become their owner: the migration makes triggers on them.
 * CloudFormation reads the secret at deployment, with the rights of who deploys, since a function in a VPC without endpoints
 * cannot: after a rotation, deploy again. The password may hold any characters; the user's name goes into a URL as it is.
 */
export class ExistingDatabase extends Construct implements Database {
  readonly owner = this;
  readonly clusterId = undefined;
  readonly #connections: Connections;
  readonly #existing: ExistingDatabaseServer;
  readonly #secret: { readonly username: string; readonly password: string };

  constructor(scope: Construct, id: string, { existing, securityGroup }: ExistingDatabaseProps) {
    super(scope, id);
    const secret = Secret.fromSecretCompleteArn(this, 'Secret', existing.secretArn);
    const fieldOf = (name: string) => secret.secretValueFromJson(name).unsafeUnwrap();
    this.#secret = { username: fieldOf('username'), password: fieldOf('password') };
    this.#existing = existing;
    this.#connections = new Connections({
      securityGroups: [securityGroup],
      defaultPort: Port.tcp(existing.port),
    });
  }

  grantConnect(fn: LambdaFunction): void {
    const { username: user, password } = this.#secret;
    setDatabaseVariables(fn, {
      DATABASE_URL: databaseUrl({ user, ...this.#existing }),
      DATABASE_AUTH: 'url',
      DATABASE_PASSWORD: password,
      DATABASE_IDLE: 'keep',
    });
    this.#connections.allowDefaultPortFrom(fn, 'Functions to the database');
  }
}
