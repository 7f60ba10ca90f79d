import { describe, expect, it } from '@jest/globals';
import { RootConstruct } from 'constructs';
import { databasePauses, readStage, STAGE_NAMES, type StageConfig } from '../../lib/stages.ts';

/** An app is a root too, but one that makes a folder for its templates. */
function read(stage?: unknown, context: Readonly<Record<string, unknown>> = {}): StageConfig {
  const { node } = new RootConstruct();
  if (stage !== undefined) node.setContext('stage', stage);
  for (const [name, value] of Object.entries(context)) node.setContext(name, value);
  return readStage(node);
}

describe('the stage that the context selects', () => {
  it('is dev when it selects none', () => {
    expect(read().name).toBe('dev');
  });

  it.each(STAGE_NAMES)('can be %s', (name) => {
    expect(read(name).name).toBe(name);
  });

  it.each(['prod', '', 'Dev', 'toString', '__proto__', true, 3])('cannot be %j', (stage) => {
    expect(() => read(stage)).toThrow(
      `stages: stage is ${JSON.stringify(stage)}; it must be one of dev, staging, production`,
    );
  });
});

describe('the stages', () => {
  it('run as the environment that their keys are named after', () => {
    expect(STAGE_NAMES.map((name) => read(name).nodeEnv)).toEqual(['development', 'staging', 'production']);
  });

  it('migrate in dev and staging; production is set by its phase', () => {
    expect(STAGE_NAMES.map((name) => read(name).phase)).toEqual(['isolated', 'isolated', 'legacy']);
    expect(STAGE_NAMES.map((name) => read(name).epochs)).toEqual([true, true, false]);
  });

  it('give a new version 5 % of the traffic for 60 minutes, in dev all of it at once', () => {
    const first = { percent: 5, minutes: 60 };
    expect(STAGE_NAMES.map((name) => read(name).canary)).toEqual(['all-at-once', first, first]);
  });

  it('have a node of cache.t3.micro, in production another one in another zone', () => {
    const node = { engine: 'redis', nodeType: 'cache.t3.micro', replicas: 0, multiAz: false };
    expect(STAGE_NAMES.map((name) => read(name).cache)).toEqual([
      node,
      node,
      { ...node, replicas: 1, multiAz: true },
    ]);
  });

  it('let the database pause in dev only', () => {
    expect(STAGE_NAMES.map((name) => databasePauses(read(name)))).toEqual([true, false, false]);
  });

  it.each(STAGE_NAMES)('may spend 50 dollars a month on the cache in %s', (name) => {
    expect(read(name).monthlyBudgetDollars).toBe(50);
  });

  it.each(STAGE_NAMES)(
    'have no rollout, and rate limits where they were, in %s until a team says so',
    (name) => {
      expect(read(name)).toMatchObject({ rateLimitsPrefixed: false, legacySecurityGroupIds: [] });
      expect(read(name).rollout).toBeUndefined();
    },
  );

  it.each(STAGE_NAMES)('delete nothing on schedule in %s', (name) => {
    expect(read(name).flush.dryRun).toBe(true);
  });

  it('keep data in production only', () => {
    expect(STAGE_NAMES.filter((name) => read(name).keepsData)).toEqual(['production']);
  });
});

describe('the cache that the context names', () => {
  it('is Redis when it names none, and else what it names', () => {
    expect(read('production').cacheMode).toBe('redis');
    expect(read('production', { cacheMode: 'memory' }).cacheMode).toBe('memory');
  });

  it('is no other', () => {
    expect(() => read('dev', { cacheMode: 'off' })).toThrow(
      'stages: dev: cacheMode is off; it must be redis or memory',
    );
  });
});

describe('the phase that the context names', () => {
  it('is that of the stage when it names none, and else what it names', () => {
    expect(read('production', { phase: 'dual' }).phase).toBe('dual');
    expect(read('dev', { phase: 'prefixed' }).phase).toBe('prefixed');
  });

  it.each(['', 'Dual', 'toString', 3])('is no other: %j', (phase) => {
    expect(() => read('dev', { phase })).toThrow(
      `stages: dev: phase is ${phase || 'not set'}; it must be one of legacy, isolated, dual, prefixed`,
    );
  });
});

describe('the issuer that the context names', () => {
  const issuer = 'https://login.example.com/tenant';

  it.each([{}, { oidcIssuer: '', oidcAudience: '' }])('may be none: %j', (context) => {
    expect(read('dev', context).oidc).toBeUndefined();
  });

  it.each(STAGE_NAMES)('is that of %s', (name) => {
    const context = { oidcIssuer: issuer, oidcAudience: 'cutover' };
    expect(read(name, context).oidc).toEqual({ issuer, audience: 'cutover' });
  });

  it.each([
    [{ oidcIssuer: issuer }, 'oidcAudience is not set; it must be set, since oidcIssuer is'],
    [{ oidcAudience: 'cutover' }, 'oidcIssuer is not set; it must be an https:// URL'],
    [{ oidcIssuer: 'http://localhost', oidcAudience: 'a' }, 'oidcIssuer is http://localhost; it must be'],
    [
      { oidcIssuer: 'https://a.example?b', oidcAudience: 'a' },
      'oidcIssuer is https://a.example?b; it must be',
    ],
    [{ oidcIssuer: 'https://', oidcAudience: 'a' }, 'oidcIssuer is https://; it must be'],
    [{ oidcIssuer: 3, oidcAudience: 'a' }, 'oidcIssuer is 3; it must be'],
  ])('is refused by name: %j', (context, problem) => {
    expect(() => read('dev', context)).toThrow(`stages: dev: ${problem}`);
  });
});

describe('a database', () => {
  it('pauses with nothing to keep it awake, and is not ours to pause where it exists', () => {
    const pauses = (minCapacityUnits: number) =>
      databasePauses({ database: { minCapacityUnits, maxCapacityUnits: 4, readers: 0 } });
    expect([pauses(0), pauses(0.5)]).toEqual([true, false]);
    const server = {
      host: 'db.example',
      port: 5432,
      databaseName: 'shop',
      securityGroupId: '',
      secretArn: '',
    };
    expect(databasePauses({ database: { existing: server } })).toBe(false);
  });
});
