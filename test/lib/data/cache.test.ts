import { describe, expect, it } from '@jest/globals';
import { accessStringsOf, REDIS_USERS } from '../../../lambda/contract/access.ts';
import type { Phase } from '../../../lambda/contract/environment.ts';
import type { StageConfig } from '../../../lib/stages.ts';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const CACHE = 'AWS::ElastiCache::ReplicationGroup';
const PARAMETERS = 'AWS::ElastiCache::ParameterGroup';
const USER = 'AWS::ElastiCache::User';

const { data: dev, service } = synthesize('dev');
const production = synthesize('production').data;

describe('the cache', () => {
  it('encrypts in transit and at rest, and knows its users, without a token for all', () => {
    const [groupId] = onlyResource(dev, 'AWS::ElastiCache::UserGroup');
    const [, { Properties }] = onlyResource(dev, CACHE);
    expect(Properties).toMatchObject({
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
      AtRestEncryptionEnabled: true,
      UserGroupIds: [{ Ref: groupId }],
    });
    expect(Properties).not.toHaveProperty('AuthToken');
  });

  it('is Redis 7 on the smallest node, and evicts nothing that has no TTL', () => {
    dev.hasResourceProperties(CACHE, {
      Engine: 'redis',
      EngineVersion: '7.1',
      CacheNodeType: 'cache.t3.micro',
    });
    dev.hasResourceProperties(PARAMETERS, {
      CacheParameterGroupFamily: 'redis7',
      Properties: { 'maxmemory-policy': 'volatile-ttl' },
    });
  });

  it('is Valkey when the stage says so, parameters included, and its users stay', () => {
    const { data } = synthesize('dev', {
      change: (stage) => ({ ...stage, cache: { ...DEV_CACHE, engine: 'valkey' } }),
    });
    data.hasResourceProperties(CACHE, { Engine: 'valkey', EngineVersion: '8.0' });
    data.hasResourceProperties(PARAMETERS, { CacheParameterGroupFamily: 'valkey8' });
    expect(resourcesOf(data, USER)).toEqual(resourcesOf(dev, USER));
  });

  it('has a replica in another zone in production, which takes over', () => {
    dev.hasResourceProperties(CACHE, {
      NumCacheClusters: 1,
      MultiAZEnabled: false,
      AutomaticFailoverEnabled: false,
    });
    production.hasResourceProperties(CACHE, {
      NumCacheClusters: 2,
      MultiAZEnabled: true,
      AutomaticFailoverEnabled: true,
    });
  });

  it('writes its logs to groups that forget, and is looked after when no flush runs', () => {
    const { Properties } = onlyResource(dev, CACHE)[1];
    const deliveries = Properties['LogDeliveryConfigurations'] as {
      LogType: string;
      DestinationDetails: { CloudWatchLogsDetails: { LogGroup: { Ref: string } } };
    }[];
    expect(deliveries.map(({ LogType }) => LogType)).toEqual(['slow-log', 'engine-log']);
    const groups = deliveries.map(
      ({ DestinationDetails }) => DestinationDetails.CloudWatchLogsDetails.LogGroup.Ref,
    );
    expect(new Set(groups).size).toBe(2);
    const retentions = Object.fromEntries(
      resourcesOf(dev, 'AWS::Logs::LogGroup').map(([id, group]) => [id, group.Properties['RetentionInDays']]),
    );
    expect(groups.map((id) => retentions[id])).toEqual([7, 7]);
    expect(Properties).toMatchObject({
      SnapshotWindow: '00:30-01:30',
      PreferredMaintenanceWindow: 'sun:05:00-sun:06:00',
    });
  });

  it('is kept as a snapshot in production, with a week of snapshots', () => {
    const kept = [dev, production].map((template) => {
      const [, { DeletionPolicy, Properties }] = onlyResource(template, CACHE);
      return [DeletionPolicy, Properties['SnapshotRetentionLimit']];
    });
    expect(kept).toEqual([
      ['Delete', 0],
      ['Snapshot', 7],
    ]);
  });
});

const DEV_CACHE = { engine: 'redis', nodeType: 'cache.t3.micro', replicas: 0, multiAz: false } as const;

describe('the users of the cache', () => {
  const usersOf = (template: typeof dev) =>
    Object.fromEntries(
      resourcesOf(template, USER).map(([id, { Properties }]) => [
        Properties['UserId'],
        { id, ...Properties },
      ]),
    );

  it.each<[Phase, boolean]>([
    ['legacy', false],
    ['isolated', false],
    ['dual', true],
    ['prefixed', true],
  ])('may what the registry gives them in phase %s', (phase, rateLimitsPrefixed) => {
    const change = (stage: StageConfig): StageConfig => ({ ...stage, phase, rateLimitsPrefixed });
    const users = usersOf(synthesize('staging', { change }).data);
    const strings = accessStringsOf({ phase, env: 'staging' });
    expect(Object.keys(users).sort()).toEqual(
      ['default', ...REDIS_USERS].map((user) => `cutover-staging-${user}`).sort(),
    );
    for (const user of REDIS_USERS) {
      expect(users[`cutover-staging-${user}`]).toMatchObject({
        UserName: `cutover-staging-${user}`,
        AccessString: strings[user],
      });
    }
  });

  it('show IAM tokens, but for the legacy backend’s, which share one password of Secrets Manager', () => {
    const modes = Object.fromEntries(
      resourcesOf(dev, USER).map(([, { Properties }]) => [
        String(Properties['UserId']).replace('cutover-dev-', ''),
        Properties['AuthenticationMode'] as { Type: string; Passwords?: unknown[] },
      ]),
    );
    const types = Object.fromEntries(Object.entries(modes).map(([user, { Type }]) => [user, Type]));
    expect(types).toEqual({
      default: 'no-password-required',
      serverless: 'iam',
      flush: 'iam',
      backfill: 'iam',
      census: 'iam',
      auditor: 'iam',
      legacy: 'password',
      'legacy-twins': 'password',
      'legacy-state': 'password',
    });
    const [secretId] = resourcesOf(dev, 'AWS::SecretsManager::Secret').find(([id]) =>
      id.includes('LegacyPassword'),
    ) ?? [''];
    const reference = ['{{resolve:secretsmanager:', { Ref: secretId }, ':SecretString:password::}}'];
    expect(modes['legacy']?.Passwords).toEqual([{ 'Fn::Join': ['', reference] }]);
    expect(modes['legacy-twins']?.Passwords).toEqual(modes['legacy']?.Passwords);
  });

  it('are all in the group; nobody may anything as the default user', () => {
    const [, group] = onlyResource(dev, 'AWS::ElastiCache::UserGroup');
    const ids = resourcesOf(dev, USER).map(([id]) => ({ Ref: id }));
    expect(group.Properties['UserIds']).toEqual(ids);
    expect(usersOf(dev)['cutover-dev-default']).toMatchObject({
      UserName: 'default',
      AccessString: 'off -@all',
    });
  });
});

/** The users as which a function's role may connect. */
function usersGranted(functionId: string): string[] {
  const policies = resourcesOf(service, 'AWS::IAM::Policy').filter(([id]) => id.startsWith(functionId));
  const statements = policies.flatMap(
    ([, { Properties }]) =>
      (Properties['PolicyDocument'] as { Statement: { Action: unknown; Resource: unknown }[] }).Statement,
  );
  const connects = statements.filter(({ Action }) => JSON.stringify(Action).includes('elasticache:Connect'));
  return connects.flatMap(({ Resource }) =>
    Array.from(JSON.stringify(Resource).matchAll(/:user:cutover-dev-([\w-]+)/g), ([, user]) => String(user)),
  );
}

describe('a function', () => {
  it.each([
    ['ApiFunction', ['serverless']],
    ['Operator', ['flush', 'census', 'serverless']],
    ['Audit', ['auditor']],
    ['Migration', []],
    ['Flush', []],
  ])('%s may connect as %j and nobody else', (functionId, users) => {
    expect(usersGranted(functionId).sort()).toEqual([...users].sort());
  });

  it('connects by TLS, with a token, as its user', () => {
    const urls = resourcesOf(service, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
      const { Variables = {} } = (Properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
      return 'REDIS_URL' in Variables ? [Variables] : [];
    });
    expect(urls.length).toBeGreaterThan(1);
    for (const variables of urls) {
      expect(JSON.stringify(variables['REDIS_URL'])).toMatch(
        /rediss:\/\/cutover-dev-(serverless|flush|auditor)@/,
      );
      expect(variables).toMatchObject({ REDIS_AUTH: 'iam', REDIS_CLUSTER: '0' });
      expect(JSON.stringify(variables['REDIS_IAM_CACHE'])).toContain('CacheReplicationGroup');
    }
  });
});

describe('an existing cache', () => {
  const SECRET = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:legacy-cache-AbCdEf';
  const { data, service: withExisting } = synthesize('staging', {
    change: (stage) => ({
      ...stage,
      cache: {
        existing: {
          host: 'master.shared.abc123.euc1.cache.amazonaws.com',
          port: 6390,
          securityGroupId: 'sg-0123456789abcdef0',
          secretArn: SECRET,
        },
      },
    }),
  });

  it('is neither made nor given users', () => {
    expect(resourcesOf(data).filter(([, { Type }]) => Type.startsWith('AWS::ElastiCache::'))).toEqual([]);
  });

  it('is reached as its secret says, by password', () => {
    const [Variables] = resourcesOf(withExisting, 'AWS::Lambda::Function')
      .filter(([id]) => id.startsWith('ApiFunction'))
      .map(([, fn]) => (fn.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables);
    expect(Variables).toMatchObject({ REDIS_AUTH: 'url', REDIS_IAM_CACHE: '' });
    expect(Variables).toMatchObject({
      REDIS_URL: `rediss://{{resolve:secretsmanager:${SECRET}:SecretString:username::}}@master.shared.abc123.euc1.cache.amazonaws.com:6390`,
      REDIS_PASSWORD: `{{resolve:secretsmanager:${SECRET}:SecretString:password::}}`,
    });
  });
});
