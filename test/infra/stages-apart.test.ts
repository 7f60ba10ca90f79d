import { describe, expect, it } from '@jest/globals';
import { STAGE_NAMES } from '../../lib/stages.ts';
import { createApp, resourcesOf, STACK_PARTS, synthesize } from './support/synthesis.ts';

/** Properties by which a resource takes a name that must be unique in the account. */
const NAME_PROPERTY = /^(Name|\w*Name|ReplicationGroupId|DBClusterIdentifier|DBInstanceIdentifier)$/;

type Stage = ReturnType<typeof synthesize>;

/** The names that a stage takes for itself: of stacks, exports, and resources that are not left unnamed. */
function namesOf(stage: Stage): string[] {
  return STACK_PARTS.flatMap((part) => {
    const template = stage[part];
    const outputs: Record<string, { Export?: { Name: unknown } }> = template.toJSON()['Outputs'] ?? {};
    const exported = Object.values(outputs).flatMap((output) => (output.Export ? [output.Export.Name] : []));
    const named = resourcesOf(template).flatMap(([, { Type, Properties }]) =>
      Object.entries(Properties ?? {})
        .filter(([property, value]) => NAME_PROPERTY.test(property) && typeof value === 'string')
        .map(([property, value]) => `${Type} ${property} ${value}`),
    );
    return [...exported.map((name) => `export ${JSON.stringify(name)}`), ...named];
  });
}

/** Names that are one thing's inside another thing of the stage, or that AWS owns. */
const SHARED_BY_DESIGN = [
  'AWS::Lambda::Alias Name live',
  'AWS::ApiGatewayV2::Stage StageName $default',
  'AWS::RDS::DBCluster DatabaseName cutover',
  'AWS::RDS::DBCluster DBClusterParameterGroupName default.aurora-postgresql18',
];

describe('two stages in one account', () => {
  const [dev, staging] = [synthesize('dev'), synthesize('staging')];
  const shared = (other: Stage): string[] => namesOf(dev).filter((name) => namesOf(other).includes(name));

  it('share no name', () => {
    const inline = /^AWS::IAM::Policy PolicyName /;
    expect(
      shared(staging)
        .filter((name) => !inline.test(name))
        .sort(),
    ).toEqual(SHARED_BY_DESIGN.sort());
  });

  it('would be noticed to share one', () => {
    expect(shared(synthesize('dev'))).toContain('AWS::ApiGatewayV2::Api Name cutover-dev');
  });

  it('export nothing, so that no stack holds another one back', () => {
    expect(namesOf(dev).filter((name) => name.startsWith('export'))).toEqual([]);
  });
});

describe('the stacks', () => {
  it.each(STAGE_NAMES)('of %s carry its name, in the order of their use', (name) => {
    const { app } = createApp(name);
    const capitalised = name.charAt(0).toUpperCase() + name.slice(1);
    expect(app.synth().stacks.map((stack) => stack.stackName)).toEqual(
      ['Network', 'Data', 'Service', 'Operations'].map((part) => `Cutover-${capitalised}-${part}`),
    );
  });

  it('are protected from deletion in production only', () => {
    const protection = STAGE_NAMES.map((name) => createApp(name).stacks.data.terminationProtection);
    expect(protection).toEqual([false, false, true]);
  });

  it('are tagged with their stage', () => {
    const { stacks } = createApp('staging');
    expect(stacks.service.tags.tagValues()).toEqual({ application: 'cutover', stage: 'staging' });
  });
});

describe('a synthesis', () => {
  it('gives the same templates every time', () => {
    const [one, another] = [synthesize('dev'), synthesize('dev')];
    for (const part of STACK_PARTS) expect(one[part].toJSON()).toEqual(another[part].toJSON());
  });

  it('looks nothing up, not even for a named account and region', () => {
    const { app } = createApp('dev', { env: { account: '000000000000', region: 'eu-central-1' } });
    expect(app.synth().manifest.missing ?? []).toEqual([]);
  });
});

describe('a destroyed dev stage', () => {
  const dev = synthesize('dev');
  const all = STACK_PARTS.flatMap((part) => resourcesOf(dev[part]));
  const kept = all.filter(([, { DeletionPolicy }]) => (DeletionPolicy ?? 'Delete') !== 'Delete');

  it('leaves nothing behind', () => {
    // A retained version goes with its function.
    expect(kept.map(([, { Type }]) => Type)).toEqual(['AWS::Lambda::Version']);
  });

  it('deletes what CloudFormation would keep unless told', () => {
    const keptUnlessTold = all.filter(([, { Type }]) => Type === 'AWS::RDS::DBCluster');
    expect(keptUnlessTold.map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual(['Delete']);
  });

  it('has made the log group of every function, the CDK’s own included', () => {
    const functions = all.filter(([, { Type }]) => Type === 'AWS::Lambda::Function');
    expect(functions).toHaveLength(8);
    for (const [, { Properties }] of functions) expect(Properties['LoggingConfig']).toBeDefined();
  });
});
