import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { accessStringsOf, type RedisUser } from '../../lambda/contract/access.ts';
import { prepareAppRole } from '../../lambda/database/app-role.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import type { CheckReport } from '../../lambda/doctor/examination.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { awsEnvironment } from '../support/aws.ts';
import { type AwsStage, deployedStage, OPERATOR, startAwsStage } from '../support/aws-stage.ts';
import { cutover } from '../support/cli.ts';
import { lookInto } from '../support/redis.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

/** What the doctor, an explanation and the phases say of a stage: the deployed bundle, as the deployed users. */
const PHASE = { MIGRATION_MODE: 'true' };
const KEY = 'mocs:user:1:list';

let redis: RedisConnection;
let aws: AwsStage;
let operator: Sandbox;

beforeAll(async () => {
  const { url } = await ownRedis({ args: ['--maxmemory', '64mb', '--maxmemory-policy', 'volatile-ttl'] });
  redis = await lookInto(url);
  const access = accessStringsOf({ phase: 'isolated', env: 'test' });
  const users: readonly RedisUser[] = ['flush', 'census', 'serverless'];
  for (const user of users) {
    await redis.send(['ACL', 'SETUSER', user, 'reset', '>secret', ...access[user].split(' ')]);
  }
  const { url: databaseUrl } = await freshDatabase();
  await migrate(databaseUrl);
  const owner = createPool({ url: databaseUrl, applicationName: 'test', maxConnections: 1 });
  await prepareAppRole(owner, 'cutover_app');
  await owner.query("ALTER ROLE cutover_app PASSWORD 'app'");
  await owner.end();
  const asUser = (user: RedisUser) => url.replace('//', `//${user}:secret@`);
  operator = startSandbox('operator', {
    ...{ NODE_ENV: 'test', LOG_LEVEL: 'SILENT', DRY_RUN: 'true', CACHE_MODE: 'redis', ...PHASE },
    ...{ REDIS_URL: asUser('flush'), CENSUS_REDIS_URL: asUser('census') },
    RUNTIME_REDIS_URL: asUser('serverless'),
    DATABASE_URL: databaseUrl.replace(/\/\/[^@]*@/, '//cutover_app:app@'),
  });
});

beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  const instance = {
    service: 'legacy',
    phase: 'legacy',
    env: 'test',
    mirror: true,
    startedAt: '2026-11-27T00:00:00Z',
  };
  await redis.send(['SET', 'cutover:instance:legacy:1', JSON.stringify(instance)]);
  aws = await startAwsStage(deployedStage('dev'), { [OPERATOR]: operator.invoke });
});

const byStage = (args: readonly string[], environment: Record<string, string> = {}) =>
  cutover([...args, '--stage', 'dev', '--json'], { ...awsEnvironment(aws), ...environment });

describe('doctor', () => {
  const doctor = async () => {
    const { exitCode, stdout, stderr } = await byStage(['doctor']);
    expect(stderr).toBe('');
    const { checks } = JSON.parse(stdout) as { checks: CheckReport[] };
    return {
      exitCode,
      open: checks.filter(({ outcome }) => outcome === 'fail' || outcome === 'not run'),
      checks,
    };
  };

  test('each check passes, as the users that are deployed', async () => {
    const { exitCode, open, checks } = await doctor();
    expect(open).toEqual([]);
    expect(exitCode).toBe(0);
    expect(checks.at(-1)).toEqual({ check: 'alarms', outcome: 'pass', text: 'none is red' });
    // The API's user, and not the operator's own.
    expect(checks).toContainEqual({ check: 'redis login', outcome: 'pass', text: 'as serverless' });
    expect(checks).toContainEqual(expect.objectContaining({ check: 'redis excess rights', outcome: 'pass' }));
  });

  test('alarms of this stage that are red are named, on all pages', async () => {
    const names = ['Cutover-Dev-Service-A', 'Cutover-Dev-Service-B', 'Cutover-Dev-Operations-C'];
    for (const name of [...names, 'Cutover-Staging-Service-D']) aws.alarms[name] = 'ALARM';
    aws.alarms['Cutover-Dev-Service-E'] = 'OK';
    const { exitCode, open } = await doctor();
    expect(open).toEqual([
      expect.objectContaining({
        check: 'alarms',
        outcome: 'fail',
        text: `red: ${[...names].sort().join(', ')}`,
      }),
    ]);
    expect(exitCode).toBe(1);
  });

  test('alarms that may not be asked for are not run', async () => {
    aws.deny('DescribeAlarms');
    const { exitCode, open } = await doctor();
    expect(open).toEqual([
      {
        ...{ check: 'alarms', outcome: 'not run' },
        text: expect.stringMatching(/^cloudwatch:DescribeAlarms of Cutover-Dev-\*: the credentials may not/),
      },
    ]);
    expect(exitCode).toBe(1);
  });

  test('a user whose rights are too narrow is named in the stage, too', async () => {
    await redis.send(['ACL', 'SETUSER', 'serverless', '-evalsha']);
    const { open } = await doctor();
    await redis.send(['ACL', 'SETUSER', 'serverless', '+evalsha']);
    expect(open).toEqual([
      expect.objectContaining({ check: 'redis rights', text: 'too narrow: it lacks +evalsha' }),
    ]);
  });
});

test('explain says what it says here, but for a value that nobody asked for', async () => {
  await redis.send(['SET', `v2:${KEY}`, '"secret"', 'EX', '60']);
  const { exitCode, stdout, stderr } = await byStage(['explain', KEY]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({
    key: KEY,
    places: [{ key: KEY }, { key: `v2:${KEY}`, kind: 'value', bytes: 8 }, { key: `cw:test:${KEY}` }],
    outbox: [],
  });
  expect(stdout).not.toContain('secret');
  expect((await byStage(['explain', KEY, '--show-value'])).stdout).toContain('secret');
});

test('explain refuses a key of no family: exit code 2', async () => {
  const { exitCode, stderr } = await byStage(['explain', 'jobs:1']);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^cache: the key "jobs:1" is refused: it is of no family/);
});

test('phase reports the services of the stage', async () => {
  const { exitCode, stdout, stderr } = await byStage(['phase']);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    phase: 'isolated',
    services: [{ service: 'legacy', phase: 'legacy', mirror: true, instances: 1 }],
    steps: [{ from: 'isolated', to: 'legacy', direction: 'back', safe: true }],
  });
  expect(exitCode).toBe(0);
});

test.each(['doctor', 'phase'])('%s with a Redis beside the stage is bad usage', async (command) => {
  const { exitCode, stderr } = await byStage([command], { REDIS_URL: 'redis://127.0.0.1:1' });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(new RegExp(`^${command}: --stage dev and REDIS_URL are both set`));
});
