import { describe, expect, it } from '@jest/globals';
import { CfnTopic } from 'aws-cdk-lib/aws-sns';
import { FUNCTION_ENVIRONMENT } from '../../lambda/contract/environment.ts';
import { STAGE_NAMES, type StageName } from '../../lib/stages.ts';
import { contentsOf } from './support/contents.ts';
import { createApp, type Resource, resourcesOf, STACK_PARTS, templatesOf } from './support/synthesis.ts';

/** Properties by which a resource takes a name that must be unique in the account. */
const NAME_PROPERTY =
  /^(Name|\w*Name|ReplicationGroupId|UserId|UserGroupId|DBClusterIdentifier|DBInstanceIdentifier)$/;
/** Of what is measured, and of what belongs to a role, a name says nothing about the account. */
const NO_NAME_OF_ITS_OWN = /^AWS::CloudWatch::Alarm MetricName |^AWS::IAM::Policy PolicyName /;

type Stage = ReturnType<typeof templatesOf>;

const APPS = {
  dev: createApp('dev'),
  staging: createApp('staging'),
  production: createApp('production'),
};
const STAGES: Readonly<Record<StageName, Stage>> = {
  dev: templatesOf(APPS.dev.stacks),
  staging: templatesOf(APPS.staging.stacks),
  production: templatesOf(APPS.production.stacks),
};
const PAIRS = STAGE_NAMES.flatMap((one, index) =>
  STAGE_NAMES.slice(index + 1).map((other) => [one, other] as const),
);

/** Whether a value is the same in every stage: what refers to a resource is a name that CloudFormation has made up. */
function isFixed(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/"Fn::(GetAtt|GetStackOutput|ImportValue)"|"Ref":"(?!AWS::)/.test(text);
}

/** The names that a resource takes, its own and, as a budget does, that of its only part. */
function namesIn({ Type, Properties = {} }: Resource): string[] {
  const nested = Object.values(Properties).filter(
    (value) => typeof value === 'object' && !Array.isArray(value),
  );
  return [Properties, ...nested]
    .flatMap((each) => Object.entries(each ?? {}))
    .filter(([property, value]) => NAME_PROPERTY.test(property) && isFixed(value))
    .map(
      ([property, value]) =>
        `${Type} ${property} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    .filter((name) => !NO_NAME_OF_ITS_OWN.test(name));
}

/** The names that a stage takes for itself: of exports, and of resources that are not left unnamed. */
function namesOf(stage: Stage): string[] {
  return STACK_PARTS.flatMap((part) => [
    ...exportsOf(stage, part),
    ...resourcesOf(stage[part]).flatMap(([, resource]) => namesIn(resource)),
  ]);
}

function exportsOf(stage: Stage, part: (typeof STACK_PARTS)[number]): string[] {
  const outputs: Record<string, { Export?: { Name: unknown } }> = stage[part].toJSON()['Outputs'] ?? {};
  return Object.values(outputs).flatMap(({ Export }) =>
    Export ? [`export ${JSON.stringify(Export.Name)}`] : [],
  );
}

/** Names that are one thing's inside another thing of the stage, or that AWS owns. */
const SHARED_BY_DESIGN = [
  'AWS::Lambda::Alias Name live',
  'AWS::ApiGatewayV2::Stage StageName $default',
  'AWS::ElastiCache::User UserName default',
  'AWS::RDS::DBCluster DatabaseName cutover',
  'AWS::RDS::DBCluster DBClusterParameterGroupName default.aurora-postgresql18',
];

describe('two stages in one account', () => {
  const shared = (one: Stage, other: Stage): string[] => {
    const names = new Set(namesOf(other));
    return [...new Set(namesOf(one))].filter((name) => names.has(name)).sort();
  };

  it.each(PAIRS)('as %s and %s share no name', (one, other) => {
    expect(shared(STAGES[one], STAGES[other])).toEqual([...SHARED_BY_DESIGN].sort());
  });

  it.each([
    ['the API', 'AWS::ApiGatewayV2::Api Name cutover-dev'],
    ['a user of the cache', 'AWS::ElastiCache::User UserId cutover-dev-serverless'],
  ])('would be noticed to share the name of %s', (_what, name) => {
    expect(shared(STAGES.dev, STAGES.dev)).toContain(name);
  });

  it('would be noticed to share a name that is put together at deployment', () => {
    const named = (stage: StageName): string[] => {
      const { stacks } = createApp(stage);
      const topicName = `cutover-${stacks.operations.region}`;
      new CfnTopic(stacks.operations, 'Named', { topicName });
      const resource = {
        Type: 'AWS::SNS::Topic',
        Properties: { TopicName: stacks.operations.resolve(topicName) },
      };
      return namesIn(resource);
    };
    expect(named('dev')).toHaveLength(1);
    expect(named('dev')).toEqual(named('staging'));
  });

  it.each(STAGE_NAMES)('of which %s exports nothing, so that no stack holds another one back', (name) => {
    expect(STACK_PARTS.flatMap((part) => exportsOf(STAGES[name], part))).toEqual([]);
  });
});

describe('the stacks', () => {
  it.each(STAGE_NAMES)('of %s carry its name, in the order of their use', (name) => {
    const { app } = APPS[name];
    const capitalised = name.charAt(0).toUpperCase() + name.slice(1);
    expect(app.synth().stacks.map((stack) => stack.stackName)).toEqual(
      ['Network', 'Data', 'Service', 'Operations'].map((part) => `Cutover-${capitalised}-${part}`),
    );
  });

  it('are protected from deletion in production only', () => {
    const protection = STAGE_NAMES.map((name) => APPS[name].stacks.data.terminationProtection);
    expect(protection).toEqual([false, false, true]);
  });

  it('are tagged with their stage', () => {
    expect(APPS.staging.stacks.service.tags.tagValues()).toEqual({
      application: 'cutover',
      stage: 'staging',
    });
  });
});

describe('a synthesis', () => {
  it.each(STAGE_NAMES)('of %s is the same every time, byte for byte', (name) => {
    const [one, another] = [1, 2].map(() => contentsOf(createApp(name).app.synth().directory));
    expect(Object.keys(one ?? {}).filter((file) => file.endsWith('.template.json'))).toHaveLength(4);
    expect(one).toEqual(another);
  });

  it.each(STAGE_NAMES)('of %s looks nothing up, not even for a named account and region', (name) => {
    const { app } = createApp(name, { env: { account: '000000000000', region: 'eu-central-1' } });
    expect(app.synth().manifest.missing ?? []).toEqual([]);
  });
});

/** What CloudFormation does with a resource when nobody says: it deletes it, but for these. */
const SNAPSHOT_UNLESS_TOLD = ['AWS::RDS::DBCluster'];
/** Resources that hold what cannot be made again. */
const DATA =
  /^AWS::(ElastiCache::ReplicationGroup|RDS::DBCluster|SecretsManager::Secret|Logs::LogGroup|SQS::Queue|S3::Bucket|DynamoDB::(Global)?Table|KMS::Key|EFS::FileSystem)$/;

const allOf = (name: StageName): Resource[] =>
  STACK_PARTS.flatMap((part) => resourcesOf(STAGES[name][part]).map(([, resource]) => resource));

/** What becomes of a resource that leaves its stack, and of one that is replaced by another. */
function fateOf({ Type, DeletionPolicy, UpdateReplacePolicy }: Resource): string[] {
  const byDefault = SNAPSHOT_UNLESS_TOLD.includes(Type) ? 'Snapshot' : 'Delete';
  return [DeletionPolicy ?? byDefault, UpdateReplacePolicy ?? byDefault];
}

const typesOf = (resources: readonly Resource[]): string[] =>
  [...new Set(resources.map(({ Type }) => Type))].sort();

describe('a destroyed stage', () => {
  it('of dev leaves nothing behind', () => {
    const left = allOf('dev').filter((resource) => fateOf(resource).some((fate) => fate !== 'Delete'));
    expect(typesOf(left)).toEqual([]);
  });

  it('of staging leaves nothing behind but versions, which go with their function', () => {
    const left = allOf('staging').filter((resource) => fateOf(resource).some((fate) => fate !== 'Delete'));
    expect(typesOf(left)).toEqual(['AWS::Lambda::Version']);
  });

  it('of dev and staging says so of all that holds data', () => {
    for (const name of ['dev', 'staging'] as const) {
      const data = allOf(name).filter(({ Type }) => DATA.test(Type));
      expect(data.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(data.map(() => 'Delete'));
    }
  });

  it('of production leaves all that holds data, or a snapshot of it', () => {
    const data = allOf('production').filter(({ Type }) => DATA.test(Type));
    expect(typesOf(data)).toEqual(
      expect.arrayContaining([
        'AWS::ElastiCache::ReplicationGroup',
        'AWS::Logs::LogGroup',
        'AWS::RDS::DBCluster',
        'AWS::SecretsManager::Secret',
      ]),
    );
    const lost = data.filter((resource) =>
      fateOf(resource).some((fate) => !['Retain', 'Snapshot'].includes(fate)),
    );
    expect(typesOf(lost)).toEqual([]);
  });

  it('has made the log group of every function, the CDK’s own included', () => {
    const functions = allOf('dev').filter(({ Type }) => Type === 'AWS::Lambda::Function');
    const ours = functions.filter(({ Properties }) => 'ZipFile' in (Properties['Code'] as object));
    // This stage has no rollout, and so none of its functions.
    const names = Object.keys(FUNCTION_ENVIRONMENT).filter((name) => !name.startsWith('rollout-'));
    expect(ours).toHaveLength(names.length);
    expect(functions.length).toBeGreaterThan(ours.length);
    for (const { Properties } of functions) expect(Properties['LoggingConfig']).toBeDefined();
  });
});

describe('the way back of a stage', () => {
  const versionsOf = (name: StageName): (string | undefined)[] => {
    const { service } = STAGES[name];
    const aliases = resourcesOf(service, 'AWS::Lambda::Alias');
    const text = JSON.stringify(aliases.map(([, { Properties }]) => Properties['FunctionVersion']));
    return resourcesOf(service, 'AWS::Lambda::Version')
      .filter(([id]) => text.includes(id))
      .map(([, { DeletionPolicy }]) => DeletionPolicy);
  };

  it('is the version before where versions are shifted by canary; elsewhere it is another deployment', () => {
    expect(STAGE_NAMES.map(versionsOf)).toEqual([['Delete'], ['Retain'], ['Retain']]);
  });
});
