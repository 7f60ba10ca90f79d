import { describe, expect, it } from '@jest/globals';
import { ROLLOUT_OUTPUTS, SERVICE_OUTPUTS, stackNameOf } from '../../../lambda/contract/outputs.ts';
import { createApp, onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const ROLLOUT = {
  domainName: 'api.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:000000000000:certificate/11111111-2222-3333-4444-555555555555',
  hostedZoneId: 'Z0123456789ABC',
  legacyTarget: 'express.example.net',
};
const without = synthesize('dev');
const { service, operations } = synthesize('dev', { change: (stage) => ({ ...stage, rollout: ROLLOUT }) });

type Outputs = Readonly<Record<string, { readonly Value: unknown }>>;
const outputsOf = (template: typeof service): Outputs => template.toJSON()['Outputs'] ?? {};

describe('the weighted records', () => {
  const functions = resourcesOf(operations, 'AWS::Lambda::Function');
  const [, records] = functions.find(([id]) => id.startsWith('WeightedRecords')) ?? [];

  it('are none of CloudFormation’s, which would set the weights of its template again with whatever else it changes', () => {
    expect(resourcesOf(operations, 'AWS::Route53::RecordSet')).toEqual([]);
    expect(JSON.stringify(operations.toJSON())).not.toContain('"Weight"');
  });

  it('are made by a function, once a deployment that changes what it is told', () => {
    const [, trigger] = onlyResource(operations, 'Custom::Trigger');
    expect(JSON.stringify(trigger.Properties['HandlerArn'])).toContain(
      'WeightedRecordsFunctionCurrentVersion',
    );
    expect(records?.Properties['Environment']).toMatchObject({
      Variables: {
        ...{ HOSTED_ZONE_ID: 'Z0123456789ABC', RECORD_NAME: 'api.example.com' },
        LEGACY_TARGET: 'express.example.net',
      },
    });
  });

  it('lead to the regional name of the API’s domain, which is not the domain’s own', () => {
    const { Variables } = (records?.Properties['Environment'] ?? {}) as {
      Variables: Record<string, unknown>;
    };
    const text = JSON.stringify(Variables['SERVERLESS_TARGET']);
    const [domainId] = onlyResource(service, 'AWS::ApiGatewayV2::DomainName');
    const shared = JSON.stringify(outputsOf(service));
    expect(text + shared).toContain(`"${domainId}","RegionalDomainName"`);
    expect(text).not.toContain('api.example.com');
  });

  it('may be changed by nobody beyond their name', () => {
    const changes = JSON.stringify(operations.toJSON()).match(
      /ChangeResourceRecordSetsNormalizedRecordNames":\[[^\]]*\]/g,
    );
    expect(new Set(changes)).toEqual(
      new Set(['ChangeResourceRecordSetsNormalizedRecordNames":["api.example.com"]']),
    );
  });

  it('are none without a rollout, nor is there a domain, nor a state machine', () => {
    for (const type of ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine', 'AWS::SSM::Parameter']) {
      expect(resourcesOf(without.operations, type)).toEqual([]);
    }
    expect(resourcesOf(without.service, 'AWS::ApiGatewayV2::DomainName')).toEqual([]);
    expect(Object.keys(outputsOf(without.operations))).not.toContain(ROLLOUT_OUTPUTS.hostedZoneId);
  });
});

describe('the domain of the API', () => {
  it('is regional, with the certificate and TLS 1.2', () => {
    const [id, { Properties }] = onlyResource(service, 'AWS::ApiGatewayV2::DomainName');
    expect(Properties).toMatchObject({
      DomainName: 'api.example.com',
      DomainNameConfigurations: [
        { CertificateArn: ROLLOUT.certificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' },
      ],
    });
    const [, mapping] = onlyResource(service, 'AWS::ApiGatewayV2::ApiMapping');
    expect(mapping.Properties).toMatchObject({ DomainName: { Ref: id }, Stage: '$default' });
  });
});

describe('what the command line reads', () => {
  it('are all outputs of the contract, each its own value', () => {
    const outputs = outputsOf(service);
    expect(Object.keys(outputs)).toEqual(expect.arrayContaining(Object.values(SERVICE_OUTPUTS)));
    const [aliasId, alias] = onlyResource(service, 'AWS::Lambda::Alias');
    const [groupId, group] = onlyResource(service, 'AWS::CodeDeploy::DeploymentGroup');
    const values = Object.fromEntries(
      Object.entries(SERVICE_OUTPUTS).map(([name, output]) => [name, outputs[output]?.Value]),
    );
    const operator = resourcesOf(service, 'AWS::Lambda::Function').find(([id]) => id.startsWith('Operator'));
    expect(aliasId).toBeDefined();
    expect(values).toMatchObject({
      operator: { Ref: operator?.[0] },
      apiFunction: alias.Properties['FunctionName'],
      version: alias.Properties['FunctionVersion'],
      alias: 'live',
      application: group.Properties['ApplicationName'],
      deploymentGroup: { Ref: groupId },
      phase: 'isolated',
      nodeEnv: 'development',
    });
  });

  it('of a rollout: the zone and the name', () => {
    expect(outputsOf(operations)).toMatchObject({
      [ROLLOUT_OUTPUTS.hostedZoneId]: { Value: 'Z0123456789ABC' },
      [ROLLOUT_OUTPUTS.recordName]: { Value: 'api.example.com' },
    });
  });

  it('is of stacks that are called what it thinks', () => {
    const { stacks } = createApp('staging');
    expect(stacks.service.stackName).toBe(stackNameOf('staging', 'Service'));
    expect(stacks.operations.stackName).toBe(stackNameOf('staging', 'Operations'));
  });
});
