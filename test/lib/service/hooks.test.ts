import { describe, expect, it } from '@jest/globals';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { onlyResource, type Resource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const { service } = synthesize('staging');
const [, alias] = onlyResource(service, 'AWS::Lambda::Alias');
const [groupId] = onlyResource(service, 'AWS::CodeDeploy::DeploymentGroup');
const [applicationId] = onlyResource(service, 'AWS::CodeDeploy::Application');
const [queueId] = onlyResource(service, 'AWS::SQS::Queue');

function functionOf(name: string, template: Template = service): [string, Resource] {
  const found = resourcesOf(template, 'AWS::Lambda::Function').filter(([id]) => id.startsWith(name));
  expect(found).toHaveLength(1);
  return found[0] as [string, Resource];
}
const [preId, pre] = functionOf('HooksPreTraffic');
const [postId, post] = functionOf('HooksPostTraffic');
const variablesOf = ({ Properties }: Resource) =>
  (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;

describe('the hooks', () => {
  it('are asked before the alias moves, and after', () => {
    service.hasResource('AWS::Lambda::Alias', {
      UpdatePolicy: {
        CodeDeployLambdaAliasUpdate: Match.objectLike({
          BeforeAllowTrafficHook: { Ref: preId },
          AfterAllowTrafficHook: { Ref: postId },
        }),
      },
    });
  });

  it('know the version that the alias is to move to, and do so before it moves', () => {
    const [versionId] = (alias.Properties['FunctionVersion'] as { 'Fn::GetAtt': [string] })['Fn::GetAtt'];
    for (const hook of [pre, post]) expect(variablesOf(hook)['NEW_VERSION']).toEqual({ Ref: versionId });
    const roles = resourcesOf(service, 'AWS::IAM::Policy')
      .map(([id]) => id)
      .filter((id) => /^(HooksP|CanaryDeploymentGroup)/.test(id));
    expect(roles).toHaveLength(3);
    expect(alias.DependsOn).toEqual(expect.arrayContaining([preId, postId, groupId, ...roles]));
  });

  it('know the alarms on which the deployment goes back', () => {
    const { Alarms } = onlyResource(service, 'AWS::CodeDeploy::DeploymentGroup')[1].Properties[
      'AlarmConfiguration'
    ] as { Alarms: { Name: unknown }[] };
    expect(Alarms).toHaveLength(4);
    const names = Alarms.map(({ Name }) => Name);
    expect(variablesOf(pre)['ROLLBACK_ALARMS']).toEqual({ 'Fn::Join': [',', names] });
  });

  it('have the time that they share between proof and report, and no way into the VPC', () => {
    for (const { Properties } of [pre, post]) {
      expect(Properties['Timeout']).toBe(180);
      expect(Properties['VpcConfig']).toBeUndefined();
    }
  });

  it.each<[string, Parameters<typeof synthesize>[1], object]>([
    ['a canary', {}, { CANARY_MINUTES: '60', CACHE_MODE: 'redis', NODE_ENV: 'staging' }],
    [
      'another one on the memory cache',
      { change: (stage) => ({ ...stage, cacheMode: 'memory', canary: { percent: 11, minutes: 23 } }) },
      { CANARY_MINUTES: '23', CACHE_MODE: 'memory' },
    ],
    ['none', { change: (stage) => ({ ...stage, canary: 'all-at-once' }) }, { CANARY_MINUTES: '0' }],
  ])('are told of %s', (_what, options, variables) => {
    const [, hook] = functionOf('HooksPreTraffic', synthesize('staging', options).service);
    expect(variablesOf(hook)).toMatchObject(variables);
  });

  it('may invoke versions of the API, tell the one group, and no more', () => {
    const [apiId] = functionOf('ApiFunction');
    const allowed = { Effect: 'Allow' };
    const traces = {
      ...allowed,
      Resource: '*',
      Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    };
    const record = {
      ...{ ...allowed, Action: 'cloudwatch:PutMetricData', Resource: '*' },
      Condition: { StringEquals: { 'cloudwatch:namespace': 'Cutover' } },
    };
    const invoke = {
      ...{ ...allowed, Action: 'lambda:InvokeFunction' },
      Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [apiId, 'Arn'] }, ':*']] },
    };
    const keep = {
      ...{ ...allowed, Action: 'sqs:SendMessage' },
      Resource: { 'Fn::GetAtt': [queueId, 'Arn'] },
    };
    const tell = {
      ...{ ...allowed, Action: 'codedeploy:PutLifecycleEventHookExecutionStatus' },
      Resource: {
        'Fn::Join': [
          '',
          [
            ...['arn:', { Ref: 'AWS::Partition' }, ':codedeploy:', { Ref: 'AWS::Region' }, ':'],
            ...[
              { Ref: 'AWS::AccountId' },
              ':deploymentgroup:',
              { Ref: applicationId },
              '/',
              { Ref: groupId },
            ],
          ],
        ],
      },
    };
    const statementsOf = (name: string) =>
      resourcesOf(service, 'AWS::IAM::Policy')
        .filter(([id]) => id.startsWith(name))
        .flatMap(
          ([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: unknown[] }).Statement,
        );
    const tracesAndAlarms = { ...traces, Action: ['cloudwatch:DescribeAlarms', ...traces.Action] };
    expect(statementsOf('HooksPreTraffic')).toEqual([tracesAndAlarms, record, invoke, keep, tell]);
    const tracesAndFigures = { ...traces, Action: ['cloudwatch:GetMetricData', ...traces.Action] };
    expect(statementsOf('HooksPostTraffic')).toEqual([tracesAndFigures, invoke, keep, tell]);
  });

  it('may be invoked by CodeDeploy, whose own policy knows other names', () => {
    const arnsOf = (id: string) => [
      { 'Fn::GetAtt': [id, 'Arn'] },
      { 'Fn::Join': ['', [{ 'Fn::GetAtt': [id, 'Arn'] }, ':*']] },
    ];
    const policies = resourcesOf(service, 'AWS::IAM::Policy').filter(([id]) =>
      id.startsWith('CanaryDeploymentGroup'),
    );
    const [[itself, versions], [before, versionsBefore]] = [arnsOf(postId), arnsOf(preId)];
    expect(policies.map(([, { Properties }]) => Properties['PolicyDocument'])).toMatchObject([
      {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'lambda:InvokeFunction',
            Resource: [itself, before, versions, versionsBefore],
          },
        ],
      },
    ]);
  });
});
