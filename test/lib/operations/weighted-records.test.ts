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
  const records = resourcesOf(operations, 'AWS::Route53::RecordSet').map(([id, record]) => ({
    id,
    ...record,
  }));

  it('give all to the legacy backend and nothing to the serverless one, for 60 s', () => {
    expect(records.map(({ Properties }) => Properties)).toEqual([
      {
        ...{ Name: 'api.example.com', Type: 'CNAME', TTL: '60', HostedZoneId: 'Z0123456789ABC' },
        ...{ SetIdentifier: 'legacy', Weight: 100, ResourceRecords: ['express.example.net'] },
      },
      {
        ...{ Name: 'api.example.com', Type: 'CNAME', TTL: '60', HostedZoneId: 'Z0123456789ABC' },
        ...{ SetIdentifier: 'serverless', Weight: 0, ResourceRecords: [expect.anything()] },
      },
    ]);
  });

  it('begin with the legacy one: a record of weight 0 that is alone gets everybody', () => {
    expect(records[1]?.DependsOn).toEqual([records[0]?.id]);
  });

  it('lead to the regional name of the API’s domain, which is not the domain’s own', () => {
    const [, serverless] = records;
    const target = serverless?.Properties['ResourceRecords'];
    const [domainId] = onlyResource(service, 'AWS::ApiGatewayV2::DomainName');
    const text = JSON.stringify(target);
    const shared = JSON.stringify(outputsOf(service));
    expect(text + shared).toContain(`"${domainId}","RegionalDomainName"`);
    expect(text).not.toContain('api.example.com');
  });

  it('are none without a rollout, nor is there a domain', () => {
    expect(resourcesOf(without.operations, 'AWS::Route53::RecordSet')).toEqual([]);
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
