import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { accessStringsOf, type RedisUser } from '../../lambda/contract/access.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { flushByStage } from '../../scripts/by-stage.ts';
import { censusCommand } from '../../scripts/census.ts';
import { cleanupCommand } from '../../scripts/cleanup.ts';
import { flushCommand } from '../../scripts/flush-migration-cache.ts';
import { awsEnvironment } from '../support/aws.ts';
import { type AwsStage, deployedStage, OPERATOR, startAwsStage } from '../support/aws-stage.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { ownRedis } from '../support/servers.ts';

const ENVIRONMENT = { ...process.env };
const DUE = ['mocs:user:1:list', 'gallery:1', 'v2:wishlist:1', 'cw:test:albums:1'];
const KEPT = ['sessions:1', 'v2:sessions:2', 'cw:production:mocs:1', 'jobs:1', 'cutover:env'];
const ALL = [...DUE, ...KEPT].sort();
const PHASE = { MIGRATION_MODE: 'true' };

let url: string;
let redis: RedisConnection;
let aws: AwsStage;
let operator: Sandbox;

beforeAll(async () => {
  ({ url } = await ownRedis({ args: ['--enable-debug-command', 'local'] }));
  redis = await lookInto(url);
  const access = accessStringsOf({ phase: 'isolated', env: 'test' });
  const users: readonly RedisUser[] = ['flush', 'census'];
  for (const user of users) {
    await redis.send(['ACL', 'SETUSER', user, 'reset', '>secret', ...access[user].split(' ')]);
  }
  operator = startSandbox('operator', {
    ...{ NODE_ENV: 'test', LOG_LEVEL: 'SILENT', DRY_RUN: 'true', ...PHASE },
    REDIS_URL: url.replace('//', '//flush:secret@'),
    CENSUS_REDIS_URL: url.replace('//', '//census:secret@'),
  });
});

beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  await redis.send([
    'MSET',
    ...ALL.flatMap((key) => [key, key === 'cutover:env' ? 'test' : `value of ${key}`]),
  ]);
  const broken = () => Promise.reject(new TypeError('oh'));
  aws = await startAwsStage(deployedStage('dev'), { [OPERATOR]: operator.invoke, broken });
});

afterEach(() => {
  process.env = { ...ENVIRONMENT };
});

const keys = async () => ((await redis.send(['KEYS', '*'])) as string[]).sort();
const byStage = (args: readonly string[], environment: Record<string, string> = {}) =>
  cutover([...args, '--stage', 'dev'], { ...awsEnvironment(aws), ...environment });
const here = (args: readonly string[]) => cutover(args, { REDIS_URL: url, NODE_ENV: 'test', ...PHASE });
/** Times differ, and the operator’s user may measure flushed families only. */
const comparable = (text: string) => {
  const { seconds: _seconds, classes, ...figures } = JSON.parse(text);
  return {
    ...figures,
    classes: classes.map(({ fate, survey, ...each }: { fate?: string; survey?: unknown }) => ({
      ...{ fate, ...each },
      ...(fate === 'flush' && { survey }),
    })),
  };
};

describe('flush', () => {
  test('deletes what it deletes here, and says the same', async () => {
    const { exitCode, stdout, stderr } = await byStage(['flush']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(await keys()).toEqual([...KEPT].sort());
    expect(stdout).toMatch(/^flushed {2}4 of 9 keys in [\d.]+ s \(mocs:\* gallery:\* .*\)$/m);
    expect(stdout).toMatch(/^preserved {2}2 keys \(sessions:\* ratelimit:\* /m);
    // Whatever the stage's schedule does: that one is a dry run.
    expect(aws.changes).toEqual([expect.stringContaining('"dryRun":false')]);
  });

  test.each([
    ['--dry-run', ['--dry-run'], {}],
    ['DRY_RUN=true', [], { DRY_RUN: 'true' }],
  ])(
    '%s: the figures and samples are those of here, and nothing is deleted',
    async (_how, args, environment) => {
      const own = await here(['flush', '--dry-run', '--json']);
      const { exitCode, stdout } = await byStage(['flush', '--json', ...args], environment);
      expect(exitCode).toBe(0);
      expect(comparable(stdout)).toEqual(comparable(own.stdout));
      expect(JSON.parse(stdout).classes[0].survey.samples).toEqual(['mocs:user:1:list']);
      expect(await keys()).toEqual(ALL);
    },
  );

  test('takes the same options', async () => {
    const options = ['--namespace', 'v2', '--pattern', 'wishlist:*', '--max-latency-ms', '0'];
    expect((await byStage(['flush', ...options])).exitCode).toBe(0);
    expect(await keys()).toEqual(ALL.filter((key) => key !== 'v2:wishlist:1'));
  });
});

test('census: the figures are those of here', async () => {
  const own = await here(['census', '--json']);
  const { exitCode, stdout, stderr } = await byStage(['census', '--json']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { seconds: _own, ...expected } = JSON.parse(own.stdout);
  const { seconds: _seconds, ...figures } = JSON.parse(stdout);
  expect(figures).toEqual(expected);
  expect(figures.keys).toBe(ALL.length);
  expect((await byStage(['census'])).stdout).toContain(
    'cw:production:* is the namespace of NODE_ENV=production',
  );
});

describe('cleanup', () => {
  test('is refused as it is here, by the phase of the stage', async () => {
    const [own, other] = await Promise.all([here(['cleanup', 'v2']), byStage(['cleanup', 'v2'])]);
    expect(other).toEqual(own);
    expect(own).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^cleanup: v2 is refused/) });
  });

  test('deletes what is left behind', async () => {
    const { exitCode, stdout } = await byStage(['cleanup', 'legacy', '--legacy-stopped']);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^flushed {2}2 of 9/),
    });
    expect(await keys()).toEqual(ALL.filter((key) => !['mocs:user:1:list', 'gallery:1'].includes(key)));
  });
});

describe('what goes wrong', () => {
  test.each<[string, number, RegExp, readonly string[], Record<string, string>]>([
    [
      'two Redis are named',
      2,
      /^flush: --stage dev and REDIS_URL are both set.*unset REDIS_URL, or leave --stage out/,
      [],
      { REDIS_URL: 'redis://127.0.0.1:1' },
    ],
    ['--yes-everything', 2, /^flush: --yes-everything does not go with --stage/, ['--yes-everything'], {}],
    [
      'AWS does not answer',
      1,
      /^cloudformation:DescribeStacks of .*: AWS does not answer; look at the network.*ECONNREFUSED/,
      [],
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' },
    ],
    [
      'what the user may not delete',
      1,
      /^flush: the operator’s user of the Redis may delete the flushed families .*nothing was deleted$/m,
      ['--pattern', 'jobs:*'],
      {},
    ],
  ])('%s: exit code %d, and nothing is deleted', async (_what, exitCode, message, args, environment) => {
    const ended = await byStage(['flush', ...args], environment);
    expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode, stdout: '' });
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(await keys()).toEqual(ALL);
  });

  interface Case {
    readonly what: string;
    /** CUTOVER_CONFIGURATION is exit code 2, others are 1. */
    readonly code: 'CUTOVER_AWS' | 'CUTOVER_CONFIGURATION';
    readonly message: RegExp;
    readonly patterns?: string[];
    readonly environment?: Record<string, string>;
    readonly change?: () => void;
  }
  const CASES: readonly Case[] = [
    {
      what: 'a pattern that matches everything',
      code: 'CUTOVER_CONFIGURATION',
      message: /^flush: patterns of the event, \["\*"\], match every key/,
      patterns: ['*'],
    },
    {
      what: 'no credentials',
      code: 'CUTOVER_CONFIGURATION',
      message:
        /^cloudformation:DescribeStacks of Cutover-Dev-Service: there are no credentials; aws sso login/,
      environment: {
        ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' },
      },
    },
    {
      what: 'a stage that is not deployed',
      code: 'CUTOVER_AWS',
      message:
        /^cloudformation: there is no stack Cutover-Dev-Service in eu-central-1.*-c stage=dev.*AWS_REGION/,
      change: () => Object.assign(aws.deployed, { stacks: {} }),
    },
    {
      what: 'a stage of another version',
      code: 'CUTOVER_AWS',
      message:
        /^cloudformation: Cutover-Dev-Service has no output OperatorFunctionName; it was deployed by another/,
      change: () => void delete aws.deployed.stacks['Cutover-Dev-Service']?.['OperatorFunctionName'],
    },
    {
      what: 'stacks that may not be read',
      code: 'CUTOVER_AWS',
      message: /^cloudformation:DescribeStacks of .*: the credentials may not do this/,
      change: () => aws.refuse('DescribeStacks'),
    },
    {
      what: 'an operator that may not be invoked',
      code: 'CUTOVER_AWS',
      message: /^lambda:InvokeFunction of operator-function: the credentials may not do this/,
      change: () => aws.refuse('Invoke'),
    },
    {
      what: 'an operator that fails',
      code: 'CUTOVER_AWS',
      message: /^operator: the function broken failed: TypeError: oh; what it had done is done/,
      change: () =>
        Object.assign(aws.deployed.stacks['Cutover-Dev-Service'] ?? {}, { OperatorFunctionName: 'broken' }),
    },
    {
      what: 'no region',
      code: 'CUTOVER_CONFIGURATION',
      message: /^cloudformation:DescribeStacks of Cutover-Dev-Service: there is no region.*export AWS_REGION/,
      environment: { AWS_REGION: '' },
    },
  ];
  test.each(CASES)('$what: $code', async ({ code, message, patterns, environment, change }) => {
    change?.();
    process.env = { ...ENVIRONMENT, ...awsEnvironment(aws), AWS_MAX_ATTEMPTS: '1', ...environment };
    const event = { command: 'flush', dryRun: false, ...(patterns && { patterns }) } as const;
    await expect(flushByStage({ stage: 'dev', event, limitSeconds: 60, json: true })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await keys()).toEqual(ALL);
  });
});

test.each([flushCommand, censusCommand, cleanupCommand])('--help of each tells of --stage', (command) => {
  const help = helpOf(command);
  for (const phrase of ['--stage <name>', 'REDIS_URL must not be set', 'lambda:InvokeFunction']) {
    expect(help).toContain(phrase);
  }
});
