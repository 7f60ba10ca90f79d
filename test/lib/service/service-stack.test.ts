import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const { service } = synthesize('dev');
const [aliasId, alias] = onlyResource(service, 'AWS::Lambda::Alias');

describe('the canary', () => {
  const CONFIG = 'AWS::CodeDeploy::DeploymentConfig';
  const canaryOf = (percent: number, minutes: number) => ({
    ComputePlatform: 'Lambda',
    TrafficRoutingConfig: {
      Type: 'TimeBasedCanary',
      TimeBasedCanary: { CanaryPercentage: percent, CanaryInterval: minutes },
    },
  });

  it('gives a new version 5 % of the traffic for 60 minutes', () => {
    service.hasResourceProperties(CONFIG, canaryOf(5, 60));
  });

  it('is what the stage says it is, each number in its place', () => {
    const other = synthesize('dev', {
      change: (stage) => ({ ...stage, canary: { percent: 10, minutes: 30 } }),
    });
    other.service.hasResourceProperties(CONFIG, canaryOf(10, 30));
    expect(() => other.service.hasResourceProperties(CONFIG, canaryOf(5, 60))).toThrow();
  });

  it('moves the alias, by CodeDeploy, with that configuration', () => {
    const [configId] = onlyResource(service, CONFIG);
    const [groupId, group] = onlyResource(service, 'AWS::CodeDeploy::DeploymentGroup');
    expect(group.Properties['DeploymentConfigName']).toEqual({ Ref: configId });
    service.hasResource('AWS::Lambda::Alias', {
      UpdatePolicy: { CodeDeployLambdaAliasUpdate: { DeploymentGroupName: { Ref: groupId } } },
    });
  });

  it('goes back when more than 1 % of the new version’s own invocations fail', () => {
    const [alarmId] = onlyResource(service, 'AWS::CloudWatch::Alarm');
    service.hasResourceProperties('AWS::CodeDeploy::DeploymentGroup', {
      AlarmConfiguration: { Enabled: true, Alarms: [{ Name: { Ref: alarmId } }] },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: Match.arrayWith(['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM']),
      },
    });
    service.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: '100 * errors / invocations', ReturnData: true }),
        Match.objectLike({
          Id: 'errors',
          MetricStat: Match.objectLike({
            Metric: Match.objectLike({
              MetricName: 'Errors',
              Dimensions: [
                { Name: 'ExecutedVersion', Value: alias.Properties['FunctionVersion'] },
                { Name: 'FunctionName', Value: alias.Properties['FunctionName'] },
                {
                  Name: 'Resource',
                  Value: { 'Fn::Join': ['', [alias.Properties['FunctionName'], ':live']] },
                },
              ],
            }),
          }),
        }),
      ]),
    });
  });

  it('leaves the version before in place: it is the way back', () => {
    const version = (alias.Properties['FunctionVersion'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0];
    const versions = Object.fromEntries(resourcesOf(service, 'AWS::Lambda::Version'));
    expect(versions[version ?? '']?.DeletionPolicy).toBe('Retain');
  });
});

describe('the HTTP API', () => {
  it('integrates with the alias, never with the function', () => {
    const integrations = resourcesOf(service, 'AWS::ApiGatewayV2::Integration');
    expect(integrations.map(([, { Properties }]) => Properties['IntegrationUri'])).toEqual([
      { Ref: aliasId },
    ]);
    expect(alias.Properties['Name']).toBe('live');
    service.allResourcesProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
  });

  it('may invoke the alias only', () => {
    const permissions = resourcesOf(service, 'AWS::Lambda::Permission');
    expect(permissions.map(([, { Properties }]) => Properties['FunctionName'])).toEqual([{ Ref: aliasId }]);
  });

  it('is throttled and logs every request', () => {
    service.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      AccessLogSettings: { DestinationArn: Match.anyValue(), Format: Match.stringLikeRegexp('requestId') },
    });
  });
});

describe('the migration', () => {
  it('runs before the alias moves', () => {
    const [triggerId] = onlyResource(service, 'Custom::Trigger');
    expect(alias.DependsOn).toContain(triggerId);
  });

  it('is waited for', () => {
    service.hasResourceProperties('Custom::Trigger', {
      InvocationType: 'RequestResponse',
      Timeout: '300000',
    });
  });
});

describe('the scheduled flush', () => {
  it('invokes the worker once a day', () => {
    const [workerId] =
      resourcesOf(service, 'AWS::Lambda::Function').filter(([id]) => id.startsWith('Flush'))[0] ?? [];
    service.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 3 * * ? *)',
      State: 'ENABLED',
      Target: { Arn: { 'Fn::GetAtt': [workerId, 'Arn'] } },
    });
  });

  it('deletes only where the stage says so', () => {
    const { service: deleting } = synthesize('dev', {
      change: (stage) => ({ ...stage, flush: { hourUtc: 3, dryRun: false } }),
    });
    const dryRun = (value: string) => ({ Environment: { Variables: { DRY_RUN: value } } });
    service.hasResourceProperties('AWS::Lambda::Function', dryRun('true'));
    deleting.hasResourceProperties('AWS::Lambda::Function', dryRun('false'));
  });
});
