import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CfnReplicationGroup } from 'aws-cdk-lib/aws-elasticache';
import { validStage } from '../../lib/stage-validation.ts';
import type { StageConfig } from '../../lib/stages.ts';
import { existing, ROLLOUT } from './support/existing.ts';
import { createApp } from './support/synthesis.ts';

const legacySecurityGroupIds = ['sg-0123456789abcdef0'];
const oidc = { issuer: 'https://login.example.com', audience: 'cutover' };
const vpc = { cidr: '10.20.0.0/16', interfaceEndpoints: ['secretsmanager'] };

// The one file that runs CloudFormation's validator, with its findings as errors, as `npm run synth` does.
beforeEach(() => {
  delete process.env['CDK_VALIDATION'];
  jest.restoreAllMocks();
});

describe('the templates', () => {
  it.each(['dev', 'staging', 'production'] as const)('of %s pass CloudFormation’s validator', (stage) => {
    const printed = jest.spyOn(console, 'error').mockReturnValue();
    expect(createApp(stage).app.synth().stacks).toHaveLength(4);
    // Warnings are only printed.
    expect(printed.mock.calls).toEqual([]);
  });

  it.each<[string, (stage: StageConfig) => StageConfig]>([
    ['in a VPC and with servers that exist', (stage) => existing({ ...stage, legacySecurityGroupIds })],
    [
      'with an issuer, a rollout, interface endpoints and a legacy backend',
      (stage) => ({ ...stage, oidc, vpc, legacySecurityGroupIds, rollout: ROLLOUT }),
    ],
  ])('of a stage %s, too', (_what, change) => {
    const printed = jest.spyOn(console, 'error').mockReturnValue();
    createApp('production', { change: (stage) => validStage(change(stage)) }).app.synth();
    expect(printed.mock.calls).toEqual([]);
  });

  it('would be refused with a property that does not exist', () => {
    const { app, stacks } = createApp('dev');
    const group = stacks.data.node.findAll().find(CfnReplicationGroup.isCfnReplicationGroup);
    group?.addPropertyOverride('TransitEncryptionEnable', true);
    expect(() => app.synth()).toThrow(/TransitEncryptionEnable\b/);
  });
});
