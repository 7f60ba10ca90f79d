import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const CONFIG = 'AWS::CodeDeploy::DeploymentConfig';
const GROUP = 'AWS::CodeDeploy::DeploymentGroup';
const ALIAS = 'AWS::Lambda::Alias';

const { service } = synthesize('staging');
const [, alias] = onlyResource(service, ALIAS);

const canaryOf = (percent: number, minutes: number) => ({
  ComputePlatform: 'Lambda',
  TrafficRoutingConfig: {
    Type: 'TimeBasedCanary',
    TimeBasedCanary: { CanaryPercentage: percent, CanaryInterval: minutes },
  },
});

describe('the canary', () => {
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

  it('is none where the stage moves all traffic at once', () => {
    const { service: dev } = synthesize('dev');
    expect(resourcesOf(dev, CONFIG)).toEqual([]);
    expect(JSON.stringify(onlyResource(dev, GROUP)[1].Properties['DeploymentConfigName'])).toContain(
      'CodeDeployDefault.LambdaAllAtOnce',
    );
  });

  it('moves the alias, by CodeDeploy, with that configuration and back on its own', () => {
    const [configId] = onlyResource(service, CONFIG);
    const [groupId, group] = onlyResource(service, GROUP);
    expect(group.Properties).toMatchObject({
      DeploymentConfigName: { Ref: configId },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST', 'DEPLOYMENT_STOP_ON_ALARM'],
      },
    });
    service.hasResource(ALIAS, {
      UpdatePolicy: {
        CodeDeployLambdaAliasUpdate: Match.objectLike({ DeploymentGroupName: { Ref: groupId } }),
      },
    });
  });

  it('leaves the version before in place: it is the way back', () => {
    const version = (alias.Properties['FunctionVersion'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0];
    const versions = Object.fromEntries(resourcesOf(service, 'AWS::Lambda::Version'));
    expect(versions[version ?? '']?.DeletionPolicy).toBe('Retain');
  });
});
