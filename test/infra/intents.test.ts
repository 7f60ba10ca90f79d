import { describe, expect, it } from '@jest/globals';
import type { StageConfig, StageName } from '../../lib/stages.ts';
import { all, INTENTS, type IntentName, type StageTemplates } from './support/intents.ts';
import { STACK_PARTS, synthesize } from './support/synthesis.ts';

const STAGES = {
  dev: { keepsData: false },
  staging: { keepsData: false },
  production: { keepsData: true },
} as const;

/** Dev moves its alias at once: what a canary is judged by is not there. */
const OF_CANARIES: readonly IntentName[] = [
  'CodeDeploy goes back on each alarm of the new version',
  'rollback alarms look at the new version alone',
];

function templatesOf(stage: StageName): StageTemplates {
  const synthesized = synthesize(stage);
  return Object.fromEntries(
    STACK_PARTS.map((part) => [part, synthesized[part].toJSON()]),
  ) as unknown as StageTemplates;
}

const PRODUCTION = JSON.stringify(templatesOf('production'));
const NAMES = Object.keys(INTENTS) as IntentName[];

const complaints = (name: IntentName, templates: StageTemplates, stage: Pick<StageConfig, 'keepsData'>) =>
  INTENTS[name](templates, stage);

describe.each(Object.entries(STAGES))('%s', (stage, config) => {
  const templates = templatesOf(stage as StageName);
  it.each(NAMES.filter((name) => stage !== 'dev' || !OF_CANARIES.includes(name)))('%s', (name) => {
    expect(complaints(name, templates, config)).toEqual([]);
  });
});

type Properties = Record<string, unknown>;

/** Changes the first resource of a type whose id has these letters. */
const change =
  (type: string, mutate: (properties: Properties) => void, letters = '') =>
  (templates: StageTemplates): void => {
    const [, resource] = all(templates, type).find(([id]) => id.includes(letters)) ?? [];
    if (!resource) throw new Error(`no ${type} ${letters}`);
    mutate(resource.Properties as Properties);
  };

const remove =
  (type: string, letters: string) =>
  (templates: StageTemplates): void => {
    const [id] = all(templates, type).find(([each]) => each.includes(letters)) ?? [];
    if (!id) throw new Error(`no ${type} ${letters}`);
    for (const part of STACK_PARTS) delete templates[part].Resources[id];
  };

const CACHE = 'AWS::ElastiCache::ReplicationGroup';
const INGRESS = 'AWS::EC2::SecurityGroupIngress';
const ALARM = 'AWS::CloudWatch::Alarm';

/** Takes one action from the policy of a function. */
const deny = (letters: string, action: string) =>
  change(
    'AWS::IAM::Policy',
    (properties) => {
      const document = properties['PolicyDocument'] as { Statement: { Action: string | string[] }[] };
      document.Statement = document.Statement.filter(({ Action }) => ![Action].flat().includes(action));
    },
    letters,
  );

const MUTATIONS: readonly [what: string, mutate: (templates: StageTemplates) => void, fails: IntentName][] = [
  [
    'the rule of the cache removed',
    remove(INGRESS, 'Cache'),
    'only the functions reach the cache and the database, on their ports',
  ],
  [
    'the rule of the cache opened to a CIDR',
    change(INGRESS, (rule) => {
      delete rule['SourceSecurityGroupId'];
      rule['CidrIp'] = '10.0.0.0/16';
    }),
    'only the functions reach the cache and the database, on their ports',
  ],
  [
    'the rule of the cache moved to another port',
    change(INGRESS, (rule) => Object.assign(rule, { FromPort: 6380, ToPort: 6380 })),
    'only the functions reach the cache and the database, on their ports',
  ],
  [
    'a rule widened to more ports',
    change(INGRESS, (rule) => Object.assign(rule, { FromPort: 0 })),
    'only the functions reach the cache and the database, on their ports',
  ],
  [
    'a group with all outbound traffic',
    change('AWS::EC2::SecurityGroup', (group) => {
      group['SecurityGroupEgress'] = [{ CidrIp: '0.0.0.0/0', IpProtocol: '-1' }];
    }),
    'only the functions reach the cache and the database, on their ports',
  ],
  [
    'TLS off',
    change(CACHE, (cache) => {
      cache['TransitEncryptionEnabled'] = false;
      delete cache['UserGroupIds'];
    }),
    'the cache speaks TLS only',
  ],
  [
    'TLS preferred and not required',
    change(CACHE, (cache) => Object.assign(cache, { TransitEncryptionMode: 'preferred' })),
    'the cache speaks TLS only',
  ],
  [
    'a user group without TLS',
    change(CACHE, (cache) => Object.assign(cache, { TransitEncryptionEnabled: false })),
    'users of the cache show themselves by TLS, which they cannot without',
  ],
  [
    'no user group',
    change(CACHE, (cache) => Object.assign(cache, { UserGroupIds: [] })),
    'users of the cache show themselves by TLS, which they cannot without',
  ],
  [
    'automatic failover off in production',
    change(CACHE, (cache) => Object.assign(cache, { AutomaticFailoverEnabled: false })),
    'the cache fails over where data is kept',
  ],
  [
    'the alias bypassed',
    change('AWS::ApiGatewayV2::Integration', (integration) => {
      integration['IntegrationUri'] = { 'Fn::GetAtt': ['ApiFunction', 'Arn'] };
    }),
    'requests go to the alias',
  ],
  [
    'an alarm removed from the deployment group',
    change('AWS::CodeDeploy::DeploymentGroup', (group) => {
      (group['AlarmConfiguration'] as { Alarms: unknown[] }).Alarms.pop();
    }),
    'CodeDeploy goes back on each alarm of the new version',
  ],
  [
    'the alarms of the deployment group switched off',
    change('AWS::CodeDeploy::DeploymentGroup', (group) => {
      delete group['AlarmConfiguration'];
    }),
    'CodeDeploy goes back on each alarm of the new version',
  ],
  ...['PreTraffic', 'PostTraffic'].flatMap((hook): (typeof MUTATIONS)[number][] => [
    [
      `${hook}: the permission to report removed`,
      deny(hook, 'codedeploy:PutLifecycleEventHookExecutionStatus'),
      'hooks may report to CodeDeploy, and invoke the version',
    ],
    [
      `${hook}: the permission to invoke removed`,
      deny(hook, 'lambda:InvokeFunction'),
      'hooks may report to CodeDeploy, and invoke the version',
    ],
  ]),
  [
    'the alias moved without hooks',
    (templates) => {
      const [, alias] = all(templates, 'AWS::Lambda::Alias')[0] ?? [];
      delete (alias as { UpdatePolicy?: unknown }).UpdatePolicy;
    },
    'the alias is moved with both hooks',
  ],
  [
    'a function without its VPC',
    change('AWS::Lambda::Function', (fn) => delete fn['VpcConfig'], 'ApiFunction'),
    'what connects is in the VPC, and what calls AWS is not',
  ],
  [
    'a rollback alarm on all versions',
    (templates) => {
      for (const [, alarm] of all(templates, ALARM)) {
        const metrics = (alarm.Properties['Metrics'] ?? []) as { MetricStat?: { Metric: Properties } }[];
        for (const { MetricStat } of metrics) {
          if (!MetricStat) continue;
          const dimensions = MetricStat.Metric['Dimensions'] as { Name: string }[];
          MetricStat.Metric['Dimensions'] = dimensions.filter(({ Name }) => Name !== 'ExecutedVersion');
        }
      }
    },
    'rollback alarms look at the new version alone',
  ],
];

describe('a mutation', () => {
  it.each(MUTATIONS)('%s', (_what, mutate, fails) => {
    const templates: StageTemplates = JSON.parse(PRODUCTION);
    mutate(templates);
    expect(complaints(fails, templates, STAGES.production)).not.toEqual([]);
  });

  it('is there for each intent', () => {
    expect(NAMES.filter((name) => !MUTATIONS.some(([, , fails]) => fails === name))).toEqual([]);
  });
});
