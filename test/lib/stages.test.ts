import { describe, expect, it } from '@jest/globals';
import { RootConstruct } from 'constructs';
import { readStage, STAGE_NAMES, type StageConfig, validStage } from '../../lib/stages.ts';

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

  it.each(STAGE_NAMES)('give a new version 5 %% of the traffic for 60 minutes in %s', (name) => {
    expect(read(name).canary).toEqual({ percent: 5, minutes: 60 });
  });

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

describe('a stage that AWS would refuse', () => {
  const dev = read('dev');

  it.each<[string, Partial<StageConfig>]>([
    ['canary.percent is 0;', { canary: { percent: 0, minutes: 60 } }],
    ['canary.percent is 100;', { canary: { percent: 100, minutes: 60 } }],
    ['canary.percent is 2.5;', { canary: { percent: 2.5, minutes: 60 } }],
    ['canary.percent is NaN;', { canary: { percent: Number.NaN, minutes: 60 } }],
    ['canary.minutes is 0;', { canary: { percent: 5, minutes: 0 } }],
    ['canary.minutes is -1;', { canary: { percent: 5, minutes: -1 } }],
    ['canary.minutes is 2881;', { canary: { percent: 5, minutes: 2881 } }],
    ['cache.nodeType is t3.micro;', { cache: { ...dev.cache, nodeType: 't3.micro' } }],
    ['cache.replicas is 6;', { cache: { ...dev.cache, replicas: 6 } }],
    ['cache.replicas is -1;', { cache: { ...dev.cache, replicas: -1 } }],
    ['database.minCapacityUnits is 0.7;', { database: { ...dev.database, minCapacityUnits: 0.7 } }],
    ['database.maxCapacityUnits is 2;', { database: { ...dev.database, minCapacityUnits: 4 } }],
    ['database.readers is 16;', { database: { ...dev.database, readers: 16 } }],
    ['api.requestsPerSecond is 0;', { api: { ...dev.api, requestsPerSecond: 0 } }],
    ['api.burstRequests is 99;', { api: { requestsPerSecond: 100, burstRequests: 99 } }],
    [
      'publicFlags.requestsPerSecond is 101;',
      { publicFlags: { requestsPerSecond: 101, burstRequests: 150 } },
    ],
    ['publicFlags.burstRequests is 201;', { publicFlags: { requestsPerSecond: 50, burstRequests: 201 } }],
    ['publicFlags.burstRequests is 49;', { publicFlags: { requestsPerSecond: 50, burstRequests: 49 } }],
    ['flush.hourUtc is 24;', { flush: { ...dev.flush, hourUtc: 24 } }],
    ['logRetentionDays is 8;', { logRetentionDays: Number(8) }],
    ['monthlyBudgetDollars is 0;', { monthlyBudgetDollars: 0 }],
  ])('is refused by name: %s', (problem, change) => {
    expect(() => validStage({ ...dev, ...change })).toThrow(`stages: dev: ${problem} it must be `);
  });

  it('is told all that is wrong at once', () => {
    const broken = { ...dev, canary: { percent: 101, minutes: 0 }, flush: { dryRun: true, hourUtc: 99 } };
    expect(() => validStage(broken)).toThrow(
      [
        'stages: dev: canary.percent is 101; it must be a whole number, 1 to 99',
        'stages: dev: canary.minutes is 0; it must be a whole number, 1 to 2880',
        'stages: dev: flush.hourUtc is 99; it must be a whole number, 0 to 23',
      ].join('\n'),
    );
  });
});
