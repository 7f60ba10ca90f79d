import { EXPECTED_RULES, rulesOf } from './security-rules.ts';
import type { Resource, StackPart } from './synthesis.ts';

/** The resources of a stage's four templates, to be looked at and, by a mutation, changed. */
export type StageTemplates = Record<StackPart, { Resources: Record<string, Resource> }>;

/** What a deployment must be like: what speaks against it, in words; nothing when it is so. */
export type Intent = (templates: StageTemplates, stage: { readonly keepsData: boolean }) => string[];

type Json = Readonly<Record<string, unknown>>;

const ALL = ['network', 'data', 'service', 'operations'] as const;

/** All resources of a type, wherever they are: changed in place by a mutation. */
export function all(templates: StageTemplates, type: string): [id: string, resource: Resource][] {
  return ALL.flatMap((part) => Object.entries(templates[part].Resources)).filter(
    ([, { Type }]) => Type === type,
  );
}

const text = (value: unknown): string => JSON.stringify(value ?? null);

const difference = (found: readonly string[], wanted: readonly string[]): string[] => [
  ...wanted.filter((each) => !found.includes(each)).map((each) => `missing: ${each}`),
  ...found.filter((each) => !wanted.includes(each)).map((each) => `not wanted: ${each}`),
];

const only = (templates: StageTemplates, type: string): [string, Resource] => {
  const [first, ...others] = all(templates, type);
  if (!first || others.length > 0) throw new Error(`expected one ${type}`);
  return first;
};

const cacheOf = (templates: StageTemplates) =>
  only(templates, 'AWS::ElastiCache::ReplicationGroup')[1].Properties;

/** The alarms on which CodeDeploy rolls back. */
function rollbackAlarms(templates: StageTemplates): Resource[] {
  const [, group] = only(templates, 'AWS::CodeDeploy::DeploymentGroup');
  const { Alarms = [] } = (group.Properties['AlarmConfiguration'] ?? {}) as {
    Alarms?: { Name: { Ref: string } }[];
  };
  const alarms = Object.fromEntries(all(templates, 'AWS::CloudWatch::Alarm'));
  return Alarms.flatMap(({ Name }) => alarms[Name.Ref] ?? []);
}

/** Each metric that an alarm looks at, with its dimensions by name. */
function metricsOf({ Properties }: Resource): { name: string; dimensions: Record<string, unknown> }[] {
  const statistics = ((Properties['Metrics'] ?? []) as { MetricStat?: { Metric: Json } }[]).flatMap<Json>(
    ({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : []),
  );
  return [...statistics, ...(Properties['MetricName'] ? [Properties] : [])].map((metric) => ({
    name: String(metric['MetricName']),
    dimensions: Object.fromEntries(
      ((metric['Dimensions'] ?? []) as { Name: string; Value: unknown }[]).map(({ Name, Value }) => [
        Name,
        Value,
      ]),
    ),
  }));
}

/** What a canary is judged by: the metrics of each alarm. */
const ROLLBACK_ALARMS = [
  'Duration',
  'Errors Invocations ServerErrors',
  'RedisConnectionFailures',
  'CanaryExpected Invocations',
];

export const INTENTS = {
  'only the functions reach the cache and the database, on their ports': (templates) =>
    difference(rulesOf(ALL.flatMap((part) => Object.entries(templates[part].Resources))), EXPECTED_RULES),

  'the cache speaks TLS only': (templates) => {
    const { TransitEncryptionEnabled, TransitEncryptionMode } = cacheOf(templates);
    return TransitEncryptionEnabled === true && TransitEncryptionMode === 'required'
      ? []
      : ['the cache takes connections without TLS'];
  },

  'users of the cache show themselves by TLS, which they cannot without': (templates) => {
    const { UserGroupIds, TransitEncryptionEnabled } = cacheOf(templates);
    if (!Array.isArray(UserGroupIds) || UserGroupIds.length === 0) return ['the cache has no user group'];
    return TransitEncryptionEnabled === true ? [] : ['the cache has a user group and no TLS'];
  },

  'the cache fails over where data is kept': (templates, { keepsData }) => {
    const { AutomaticFailoverEnabled, MultiAZEnabled, NumCacheClusters } = cacheOf(templates);
    const failsOver =
      AutomaticFailoverEnabled === true && MultiAZEnabled === true && Number(NumCacheClusters) > 1;
    return !keepsData || failsOver ? [] : ['the cache does not fail over'];
  },

  'requests go to the alias': (templates) => {
    const [alias] = only(templates, 'AWS::Lambda::Alias');
    return all(templates, 'AWS::ApiGatewayV2::Integration')
      .filter(([, { Properties }]) => text(Properties['IntegrationUri']) !== text({ Ref: alias }))
      .map(([id]) => `${id} goes around the alias`);
  },

  'CodeDeploy goes back on each alarm of the new version': (templates) =>
    difference(
      rollbackAlarms(templates).map((alarm) =>
        metricsOf(alarm)
          .map(({ name }) => name)
          .sort()
          .join(' '),
      ),
      ROLLBACK_ALARMS,
    ),

  'rollback alarms look at the new version alone': (templates) => {
    const [, alias] = only(templates, 'AWS::Lambda::Alias');
    const version = text(alias.Properties['FunctionVersion']);
    return rollbackAlarms(templates)
      .flatMap(metricsOf)
      .filter(({ dimensions }) => text(dimensions['ExecutedVersion'] ?? dimensions['version']) !== version)
      .map(({ name }) => `${name} is of all versions`);
  },

  'hooks may report to CodeDeploy, and invoke the version': (templates) => {
    const statements = all(templates, 'AWS::IAM::Policy').flatMap(([id, { Properties }]) =>
      (Properties['PolicyDocument'] as { Statement: { Action: unknown; Effect: string }[] }).Statement.map(
        ({ Action, Effect }) => ({ id, effect: Effect, actions: [Action].flat().map(String) }),
      ),
    );
    return ['PreTraffic', 'PostTraffic'].flatMap((hook) =>
      ['codedeploy:PutLifecycleEventHookExecutionStatus', 'lambda:InvokeFunction']
        .filter(
          (action) =>
            !statements.some(
              ({ id, effect, actions }) =>
                id.includes(hook) && effect === 'Allow' && actions.includes(action),
            ),
        )
        .map((action) => `${hook} may not ${action}`),
    );
  },

  'the alias is moved with both hooks': (templates) => {
    const [, alias] = only(templates, 'AWS::Lambda::Alias');
    const update = ((alias as { UpdatePolicy?: Json }).UpdatePolicy?.['CodeDeployLambdaAliasUpdate'] ??
      {}) as Json;
    return ['BeforeAllowTrafficHook', 'AfterAllowTrafficHook']
      .filter((hook) => update[hook] === undefined)
      .map((hook) => `${hook} is missing`);
  },

  'what connects is in the VPC, and what calls AWS is not': (templates) =>
    all(templates, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
      const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: Json };
      const connects = 'REDIS_URL' in Variables || 'DATABASE_URL' in Variables;
      const isInside = Properties['VpcConfig'] !== undefined;
      if (connects === isInside) return [];
      return [connects ? `${id} connects and is in no VPC` : `${id} is in the VPC and connects to nothing`];
    }),
} satisfies Record<string, Intent>;

export type IntentName = keyof typeof INTENTS;
