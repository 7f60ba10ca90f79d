import { describe, expect, it } from '@jest/globals';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../../../lambda/contract/environment.ts';
import type { CutoverFunctionProps } from '../../../lib/service/cutover-function.ts';
import { ROLLOUT } from '../../infra/support/existing.ts';
import { type Resource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

// With a rollout, which has functions of its own.
const { service, operations } = synthesize('dev', { change: (stage) => ({ ...stage, rollout: ROLLOUT }) });
const NAMES = Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[];

/** The functions of `lambda/functions/`; the CDK's own helpers have no inline code. */
const functions = [service, operations]
  .flatMap((template) => resourcesOf(template, 'AWS::Lambda::Function'))
  .filter(([, fn]) => codeOf(fn) !== undefined);

function codeOf(fn: Resource): string | undefined {
  return (fn.Properties['Code'] as { ZipFile?: string }).ZipFile;
}

function functionNamed(name: FunctionName): Resource['Properties'] {
  const [, fn] = functions.find(([, candidate]) => codeOf(candidate)?.includes(`'${name}'`)) ?? [];
  if (fn === undefined) throw new Error(`no function ${name}`);
  return fn.Properties;
}

function environmentOf(name: FunctionName): Record<string, unknown> {
  return (functionNamed(name)['Environment'] as { Variables: Record<string, unknown> }).Variables;
}

it('deploys every function of the contract, and no other', () => {
  expect(functions).toHaveLength(NAMES.length);
});

describe.each(NAMES)('the function %s', (name) => {
  it('gets the variables that it reads, and no other', () => {
    const ofEvery = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];
    expect(Object.keys(environmentOf(name)).sort()).toEqual(
      [...FUNCTION_ENVIRONMENT[name], ...ofEvery].sort(),
    );
  });

  it('runs in the isolated subnets, in the group of the functions, where it connects to anything; elsewhere not', () => {
    const { VpcConfig: vpc } = functionNamed(name);
    const connects = FUNCTION_ENVIRONMENT[name].some((variable) => variable.endsWith('_URL'));
    if (!connects) return expect(vpc).toBeUndefined();
    const { SecurityGroupIds: groups, SubnetIds: subnets } = vpc as {
      SecurityGroupIds: unknown[];
      SubnetIds: unknown[];
    };
    expect(groups).toHaveLength(1);
    expect(JSON.stringify(groups)).toContain('SecurityGroupsLambda');
    expect(subnets).toHaveLength(2);
    return expect(JSON.stringify(subnets)).toContain('IsolatedSubnet2');
  });

  it('runs on Node 24 for arm64, traced, and logs to a group that forgets', () => {
    const { LoggingConfig: logging, ...properties } = functionNamed(name);
    expect(properties).toMatchObject({
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      TracingConfig: { Mode: 'Active' },
    });
    const logGroups = Object.fromEntries(
      [service, operations].flatMap((template) => resourcesOf(template, 'AWS::Logs::LogGroup')),
    );
    const { Ref: logGroup } = (logging as { LogGroup: { Ref: string } }).LogGroup;
    expect(logGroups[logGroup]).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: { RetentionInDays: 7 },
    });
  });

  it('has 128 MB more when it holds a Redis client', () => {
    const holdsClient = 'REDIS_URL' in environmentOf(name);
    expect(functionNamed(name)['MemorySize']).toBe(holdsClient ? 384 : 256);
  });
});

describe('the URLs', () => {
  const text = (value: unknown): string => JSON.stringify(value);

  it('are encrypted and verified connections', () => {
    expect(text(environmentOf('api')['REDIS_URL'])).toMatch(/"rediss:\/\/cutover-dev-serverless@.*:6379"/);
    expect(text(environmentOf('api')['DATABASE_URL'])).toMatch(
      /"postgresql:\/\/cutover_app@.*:5432\/cutover\?sslmode=verify-full"/,
    );
  });

  it('are of a database whose authority the functions are told of', () => {
    expect(environmentOf('api')['NODE_EXTRA_CA_CERTS']).toBe('/var/runtime/ca-cert.pem');
  });

  it('need no permission to read a secret', () => {
    expect(text(service.toJSON())).not.toContain('secretsmanager:GetSecretValue');
  });
});

describe('the settings of a stage', () => {
  it('reach the functions', () => {
    expect(environmentOf('api')).toMatchObject({
      NODE_ENV: 'development',
      MIGRATION_MODE: 'true',
      CACHE_MODE: 'redis',
    });
    expect(environmentOf('operator')).toMatchObject({
      ...{ NODE_ENV: 'development', DRY_RUN: 'true', MIGRATION_MODE: 'true' },
    });
  });
});

it('does not compile with a variable too many, too few or misspelt', () => {
  type Settings<Name extends FunctionName> = CutoverFunctionProps<Name>['settings'];
  const right: Settings<'migrate'> = { LOG_LEVEL: 'INFO', DATABASE_APP_ROLE: '' };
  // @ts-expect-error LOG_LEVEL is missing
  const missing: Settings<'migrate'> = { DATABASE_APP_ROLE: '' };
  // @ts-expect-error the function does not read NODE_ENV
  const excess: Settings<'migrate'> = { ...right, NODE_ENV: 'development' };
  // @ts-expect-error a URL is not set by hand: its network rule would be missing
  const byHand: Settings<'migrate'> = { ...right, DATABASE_URL: 'postgresql://' };
  // @ts-expect-error the API reads REDIS_URL too
  const unreachable: CutoverFunctionProps<'api'>['endpoints'] = { DATABASE_URL: { grantConnect: () => {} } };
  expect([right, missing, excess, byHand, unreachable]).toHaveLength(5);
});
