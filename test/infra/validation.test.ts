import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CfnReplicationGroup } from 'aws-cdk-lib/aws-elasticache';
import { createApp } from './support/synthesis.ts';

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

  it('of a stage with an issuer, too', () => {
    const printed = jest.spyOn(console, 'error').mockReturnValue();
    const oidc = { issuer: 'https://login.example.com', audience: 'cutover' };
    createApp('dev', { change: (stage) => ({ ...stage, oidc }) }).app.synth();
    expect(printed.mock.calls).toEqual([]);
  });

  it('would be refused with a property that does not exist', () => {
    const { app, stacks } = createApp('dev');
    const group = stacks.data.node.findAll().find(CfnReplicationGroup.isCfnReplicationGroup);
    group?.addPropertyOverride('TransitEncryptionEnable', true);
    expect(() => app.synth()).toThrow(/TransitEncryptionEnable\b/);
  });
});
