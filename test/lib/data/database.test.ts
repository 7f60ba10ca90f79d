import { describe, expect, it } from '@jest/globals';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../../../lambda/contract/environment.ts';
import type { StageConfig } from '../../../lib/stages.ts';
import { EXISTING_CACHE, EXISTING_DATABASE, EXISTING_VPC } from '../../infra/support/existing.ts';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const CLUSTER = 'AWS::RDS::DBCluster';
const INSTANCE = 'AWS::RDS::DBInstance';

const dev = synthesize('dev');
const production = synthesize('production');
const existing = synthesize('dev', {
  change: (stage) => ({
    ...stage,
    vpc: { existing: EXISTING_VPC },
    cache: { existing: EXISTING_CACHE },
    database: { existing: EXISTING_DATABASE },
  }),
});
const withDatabase = (database: StageConfig['database']) =>
  synthesize('staging', { change: (stage) => ({ ...stage, database }) });

function functionNamed(service: Template, name: FunctionName) {
  const [, fn] =
    resourcesOf(service, 'AWS::Lambda::Function').find(([, fn]) =>
      JSON.stringify(fn.Properties['Code']).includes(`'${name}'`),
    ) ?? [];
  if (!fn) throw new Error(`no function ${name}`);
  return fn.Properties;
}

/** What the function is told of the database; each reference to something else as `<text>`. */
function variablesOf(service: Template, name: FunctionName): Record<string, string> {
  const { Variables: all } = functionNamed(service, name)['Environment'] as {
    Variables: Record<string, unknown>;
  };
  return Object.fromEntries(
    Object.entries(all)
      .filter(([variable]) => variable.startsWith('DATABASE_'))
      .map(([variable, value]) => [variable, textOf(value)]),
  );
}

const KNOWN = ['Endpoint.Address', 'DatabaseCredentials', 'DBClusterResourceId'];

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, Ref: ref } = value as { 'Fn::Join'?: [string, unknown[]]; Ref?: string };
  if (join) return join[1].map(textOf).join(join[0]);
  if (ref?.startsWith('AWS::')) return `<${ref}>`;
  const reference = JSON.stringify(value);
  const known = KNOWN.find((name) => reference.includes(name.replace('.', '')));
  return `<${known ?? reference}>`;
}

interface Statement {
  readonly Action: unknown;
  readonly Resource: unknown;
}

/** The statements of a function's role that let it connect to a database. */
function connectStatements(service: Template, name: FunctionName): Statement[] {
  const { 'Fn::GetAtt': role } = functionNamed(service, name)['Role'] as { 'Fn::GetAtt': [string] };
  return resourcesOf(service, 'AWS::IAM::Policy')
    .filter(([, { Properties }]) => JSON.stringify(Properties['Roles']).includes(`"${role[0]}"`))
    .flatMap(([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement)
    .filter(({ Action }) => JSON.stringify(Action).includes('rds-db:'));
}

describe('the database', () => {
  it('is encrypted Aurora PostgreSQL that takes IAM tokens', () => {
    dev.data.hasResourceProperties(CLUSTER, {
      Engine: 'aurora-postgresql',
      StorageEncrypted: true,
      EnableIAMDatabaseAuthentication: true,
      DatabaseName: 'cutover',
      Port: 5432,
    });
  });

  it('pauses after 5 minutes in dev, and nowhere else', () => {
    const scalingOf = ({ data }: { data: Template }) =>
      onlyResource(data, CLUSTER)[1].Properties['ServerlessV2ScalingConfiguration'];
    expect(scalingOf(dev)).toEqual({ MinCapacity: 0, MaxCapacity: 2, SecondsUntilAutoPause: 300 });
    expect(scalingOf(production)).toEqual({ MinCapacity: 0.5, MaxCapacity: 8 });
    expect(scalingOf(withDatabase({ minCapacityUnits: 3, maxCapacityUnits: 7, readers: 0 }))).toEqual({
      MinCapacity: 3,
      MaxCapacity: 7,
    });
  });

  it('has no public address', () => {
    for (const { data } of [dev, production]) {
      data.allResourcesProperties(INSTANCE, { PubliclyAccessible: false });
    }
  });

  it('has as many readers as the stage says, each of which can take over', () => {
    dev.data.resourceCountIs(INSTANCE, 1);
    production.data.resourceCountIs(INSTANCE, 2);
    const { data } = withDatabase({ minCapacityUnits: 1, maxCapacityUnits: 2, readers: 3 });
    const tiers = resourcesOf(data, INSTANCE).map(([, { Properties }]) => Properties['PromotionTier']);
    expect(tiers.sort()).toEqual([0, 1, 1, 1]);
  });

  it('has an owner’s password that is generated, and is safe in a URL', () => {
    const secrets = resourcesOf(dev.data, 'AWS::SecretsManager::Secret').filter(([id]) =>
      id.includes('DatabaseCredentials'),
    );
    expect(secrets).toHaveLength(1);
    expect(secrets[0]?.[1].Properties['GenerateSecretString']).toEqual({
      SecretStringTemplate: '{"username":"cutover"}',
      GenerateStringKey: 'password',
      PasswordLength: 40,
      ExcludePunctuation: true,
    });
  });

  it('leaves nothing in dev, and in production a snapshot and the password', () => {
    dev.data.hasResource(CLUSTER, {
      DeletionPolicy: 'Delete',
      Properties: Match.objectLike({ DeletionProtection: false }),
    });
    production.data.hasResource(CLUSTER, {
      DeletionPolicy: 'Snapshot',
      Properties: Match.objectLike({ DeletionProtection: true }),
    });
    production.data.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain' });
  });
});

/** Every function that connects to the database, without the one that owns it. */
const CONNECTED = (Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[]).filter((name) => {
  const variables: readonly string[] = FUNCTION_ENVIRONMENT[name];
  return variables.includes('DATABASE_URL') && name !== 'migrate';
});

it('the API and the dispatcher connect to the database', () => {
  expect(CONNECTED).toEqual(expect.arrayContaining(['api', 'dispatcher']));
});

describe.each(CONNECTED)('the function %s', (name) => {
  it('is the role of the functions, by IAM, over verified TLS', () => {
    expect(variablesOf(dev.service, name)).toEqual({
      DATABASE_URL: 'postgresql://cutover_app@<Endpoint.Address>:5432/cutover?sslmode=verify-full',
      DATABASE_AUTH: 'iam',
      DATABASE_PASSWORD: '',
      DATABASE_IDLE: 'close',
    });
    expect(variablesOf(production.service, name)['DATABASE_IDLE']).toBe('keep');
  });

  it('may connect as that role of that cluster, and as no other', () => {
    const statements = connectStatements(production.service, name);
    expect(statements).toMatchObject([{ Action: 'rds-db:connect', Effect: 'Allow' }]);
    expect(statements.map(({ Resource }) => textOf(Resource))).toEqual([
      'arn:<AWS::Partition>:rds-db:<AWS::Region>:<AWS::AccountId>:dbuser:<DBClusterResourceId>/cutover_app',
    ]);
  });
});

describe('the migration', () => {
  it('is the owner, with a password that only the deployment reads, and makes the role', () => {
    expect(variablesOf(production.service, 'migrate')).toEqual({
      DATABASE_URL: 'postgresql://cutover@<Endpoint.Address>:5432/cutover?sslmode=verify-full',
      DATABASE_AUTH: 'url',
      DATABASE_PASSWORD: expect.stringMatching(
        /^\{\{resolve:secretsmanager:.*DatabaseCredentials.*:SecretString:password::\}\}$/,
      ),
      DATABASE_IDLE: 'keep',
      DATABASE_APP_ROLE: 'cutover_app',
    });
    expect(connectStatements(production.service, 'migrate')).toEqual([]);
  });
});

describe('an existing database', () => {
  it('is not made once more', () => {
    for (const type of [CLUSTER, INSTANCE]) existing.data.resourceCountIs(type, 0);
    // Beside an existing cache: a stack has to have something.
    expect(resourcesOf(existing.data).map(([, { Type }]) => Type)).toEqual([
      'AWS::CloudFormation::WaitConditionHandle',
    ]);
    dev.data.resourceCountIs('AWS::CloudFormation::WaitConditionHandle', 0);
  });

  it.each<FunctionName>([...CONNECTED, 'migrate'])(
    'is connected to by %s as the user of its secret, whose password may be any',
    (name) => {
      const field = (name: string) =>
        `{{resolve:secretsmanager:${EXISTING_DATABASE.secretArn}:SecretString:${name}::}}`;
      expect(variablesOf(existing.service, name)).toEqual({
        DATABASE_URL: `postgresql://${field('username')}@${EXISTING_DATABASE.host}:5490/shop?sslmode=verify-full`,
        DATABASE_AUTH: 'url',
        DATABASE_PASSWORD: field('password'),
        DATABASE_IDLE: 'keep',
        ...(name === 'migrate' && { DATABASE_APP_ROLE: '' }),
      });
      expect(connectStatements(existing.service, name)).toEqual([]);
    },
  );
});
