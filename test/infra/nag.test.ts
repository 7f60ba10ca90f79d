import { describe, expect, it, jest } from '@jest/globals';
import { type App, Validations } from 'aws-cdk-lib';
import { Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { StageConfig, StageName } from '../../lib/stages.ts';
import { existing, ROLLOUT } from './support/existing.ts';
import { createApp, type SynthesisOptions } from './support/synthesis.ts';

interface Acknowledgment {
  readonly id: string;
  readonly reason: string;
  readonly path: string;
}

/** What cdk-nag finds and nobody has explained: "rule at construct". */
function findingsOf(app: App): string[] {
  app.synth();
  return new AwsSolutionsChecks(app)
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    );
}

/** What cdk-nag would find if nothing were explained. */
function allFindingsOf(app: App): string[] {
  const elsewhere: string = 'nowhere';
  const key = jest.replaceProperty(
    Validations,
    'ACKNOWLEDGED_RULES_METADATA_KEY',
    elsewhere as typeof Validations.ACKNOWLEDGED_RULES_METADATA_KEY,
  );
  try {
    return findingsOf(app);
  } finally {
    key.restore();
  }
}

function acknowledgmentsOf(app: App): Acknowledgment[] {
  return app.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([id, reason]) => ({ id: id.replace(/^annotation::/i, ''), reason, path: node.path }))
      .filter(({ id }) => id.startsWith('AwsSolutions-')),
  );
}

const withIssuer = (stage: StageConfig): StageConfig => ({
  ...stage,
  oidc: { issuer: 'https://login.example.com', audience: 'cutover' },
});

describe.each<[StageName, string, SynthesisOptions]>([
  ['dev', '', {}],
  ['dev', ' with an issuer', { change: withIssuer }],
  ['staging', '', {}],
  ['production', '', {}],
  ['production', ' with a rollout', { change: (stage) => ({ ...stage, rollout: ROLLOUT }) }],
  ['staging', ' where everything is there already', { change: existing }],
  [
    'staging',
    ' with endpoints, and groups of the legacy backend',
    {
      change: (stage) => ({
        ...stage,
        vpc: { cidr: '10.0.0.0/16', interfaceEndpoints: ['secretsmanager'] },
        legacySecurityGroupIds: ['sg-01e9ac00000000003'],
      }),
    },
  ],
])('cdk-nag on %s%s', (stage, _what, options) => {
  const { app } = createApp(stage, options);

  it('finds nothing that is not explained', () => {
    expect(findingsOf(app)).toEqual([]);
  });

  it('has an explanation for findings only', () => {
    const findings = allFindingsOf(app);
    const stale = acknowledgmentsOf(app).filter(
      ({ id, path }) => !findings.some((finding) => finding.startsWith(`${id} at ${path}`)),
    );
    expect(findings.length).toBeGreaterThan(0);
    expect(stale).toEqual([]);
  });
});

it('fails on a finding without an explanation', () => {
  const { app, stacks } = createApp('dev');
  const { network } = stacks;
  const open = new SecurityGroup(network, 'Open', { vpc: network.vpc, allowAllOutbound: false });
  open.addIngressRule(Peer.anyIpv4(), Port.tcp(6379));
  expect(findingsOf(app)).toEqual(['AwsSolutions-EC23 at Cutover-Dev-Network/Open/Resource']);
});
