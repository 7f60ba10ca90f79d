import { beforeEach, describe, expect, test } from '@jest/globals';
import { MACHINE_OUTPUTS, ROLLOUT_OUTPUTS, stackNameOf } from '../../../lambda/contract/outputs.ts';
import { awsEnvironment } from '../../support/aws.ts';
import { cutover } from '../../support/cli.ts';
import { listenTo } from '../../support/listen-to.ts';
import {
  executionOf,
  MACHINE,
  NAME,
  type RolloutAws,
  STOP,
  startRolloutAws,
  ZONE,
} from '../../support/rollout-aws.ts';
import { describeStacks } from '../../support/stacks.ts';

const STAGE = 'dev';
let aws: RolloutAws;
/** Outputs by stack. */
let stacks: Record<string, Record<string, string>>;

const cloudformation = describeStacks(() => stacks);

beforeEach(async () => {
  aws = await startRolloutAws({ services: { cloudformation } });
  stacks = {
    [stackNameOf(STAGE, 'Operations')]: {
      [ROLLOUT_OUTPUTS.hostedZoneId]: ZONE,
      [ROLLOUT_OUTPUTS.recordName]: NAME,
      [MACHINE_OUTPUTS.machine]: MACHINE,
      [MACHINE_OUTPUTS.stopParameter]: STOP,
    },
  };
});

const run = (...args: string[]) => cutover(['rollout', ...args, '--stage', STAGE], awsEnvironment(aws));

const CURSOR = { note: '5 % has held; 25 % is next, once somebody approves' };
const WAITING = {
  ...{ id: 9, timestamp: 1_800_000_060, type: 'TaskScheduled' },
  taskScheduledEventDetails: {
    ...{ resource: 'publish.waitForTaskToken', resourceType: 'sns', region: 'eu-central-1' },
    parameters: JSON.stringify({ MessageAttributes: { token: { StringValue: 'TOKEN' } } }),
  },
};
const ENTERED = {
  ...{ id: 8, timestamp: 1_800_000_060, type: 'TaskStateEntered' },
  stateEnteredEventDetails: {
    name: 'Wait for an approval',
    input: JSON.stringify({ seen: { cursor: CURSOR } }),
  },
};

describe('start', () => {
  test('starts the next one, by its number', async () => {
    aws.executions = [{ name: 'rollout-4', status: 'FAILED' }];
    const { exitCode, stdout, stderr } = await run('start');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^started {2}rollout-5 of dev$/m);
    expect(aws.executions[0]?.name).toBe('rollout-5');
  });

  test('is refused while one runs', async () => {
    aws.executions = [{ name: 'rollout-1', status: 'RUNNING' }];
    const { exitCode, stderr } = await run('start');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('rollout-1 is running'),
    });
    expect(aws.executions).toHaveLength(1);
  });

  test('of two at the same time one is refused', async () => {
    const ended = await Promise.all([run('start'), run('start')]);
    expect(aws.executions.map(({ name }) => name)).toEqual(['rollout-1']);
    expect(ended.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1]);
    expect(ended.map(({ stderr }) => stderr).join('')).toContain('rollout-1 is running');
  });

  test('is refused where all is done, unless --again', async () => {
    aws.executions = [{ name: 'rollout-1', status: 'SUCCEEDED' }];
    aws.weights = { legacy: 0, serverless: 100 };
    const refused = await run('start');
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringContaining('nothing is left to roll out'),
    ]);
    expect((await run('start', '--again')).exitCode).toBe(0);
  });

  test('of a stage without a rollout is refused, with what to do', async () => {
    stacks = { [stackNameOf(STAGE, 'Operations')]: {} };
    const { exitCode, stderr } = await run('start');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('dev has no rollout; set'),
    });
  });

  test('--follow tells of each state, and ends with the reason and exit code 1 where it went back', async () => {
    aws.events = [ENTERED];
    const following = run('start', '--follow');
    while (aws.executions.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const cause = JSON.stringify({ errorType: 'RolloutGateError', errorMessage: 'rollout: red alarms: A' });
    Object.assign(aws.executions[0] ?? {}, { status: 'FAILED', error: 'RolloutGateError', cause });
    const { exitCode, stdout } = await following;
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d {2}Wait for an approval +5 % has held/m);
    expect(stdout).toMatch(/^failed: rollout: red alarms: A$/m);
  });
});

describe('status', () => {
  test('says where it is, what Route 53 has, and what it waits for', async () => {
    aws.executions = [{ name: 'rollout-2', status: 'RUNNING' }];
    aws.events = [WAITING, ENTERED];
    aws.weights = { legacy: 95, serverless: 5 };
    const { exitCode, stdout } = await run('status');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'rollout  rollout-2, running, begun 2027-01-15 08:00 UTC',
      'state    Wait for an approval',
      `stage    ${CURSOR.note}`,
      'weights  legacy 95, serverless 5',
      '',
      'it waits for: npm run cutover -- rollout approve --stage dev',
      '',
    ]);
  });

  test('--json, of a stage where there was none', async () => {
    const { exitCode, stdout } = await run('status', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ...{ stage: STAGE, waitsForApproval: false },
      weights: { legacy: 100, serverless: 0 },
    });
  });
});

describe('approve', () => {
  test('sends the token that is waited for', async () => {
    aws.executions = [{ name: 'rollout-2', status: 'RUNNING' }];
    aws.events = [WAITING, ENTERED];
    const { exitCode, stdout } = await run('approve');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `approved  ${CURSOR.note}\n` });
    expect(aws.sent).toEqual([expect.stringMatching(/^success TOKEN \{"approvedBy":/)]);
  });

  test.each<[string, () => void]>([
    [
      'a step that is finished',
      () => {
        const over = {
          id: 10,
          timestamp: 1_800_000_070,
          type: 'TaskSucceeded',
          taskSucceededEventDetails: { resource: 'publish.waitForTaskToken', resourceType: 'sns' },
        };
        Object.assign(aws, {
          executions: [{ name: 'rollout-2', status: 'RUNNING' }],
          events: [over, WAITING, ENTERED],
        });
      },
    ],
    [
      'a rollout that has ended',
      () =>
        Object.assign(aws, {
          executions: [{ name: 'rollout-2', status: 'FAILED' }],
          events: [WAITING, ENTERED],
        }),
    ],
    ['none', () => undefined],
  ])('of %s is refused', async (_what, given) => {
    given();
    const { exitCode, stderr } = await run('approve');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('nothing waits for an approval'),
    });
    expect(aws.sent).toEqual([]);
  });

  test('that comes too late says so', async () => {
    aws.executions = [{ name: 'rollout-2', status: 'RUNNING' }];
    aws.events = [WAITING, ENTERED];
    aws.refuse('SendTaskSuccess', 'TaskTimedOut');
    const { exitCode, stderr } = await run('approve');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('waited for is over'),
    });
  });
});

describe('stop', () => {
  test('asks the one that runs, and ends its waiting', async () => {
    aws.executions = [{ name: 'rollout-2', status: 'RUNNING' }];
    aws.events = [WAITING, ENTERED];
    const { exitCode, stdout } = await run('stop', '--reason', 'users complain');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^stopping {2}rollout-2 of dev/);
    expect(JSON.parse(aws.stop)).toEqual({ execution: executionOf('rollout-2'), reason: 'users complain' });
    expect(aws.sent).toEqual(['failure TOKEN RolloutStoppedError rollout: stopped: users complain']);
  });

  test('of none says how to go back', async () => {
    const { exitCode, stderr } = await run('stop');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('cutover -- rollback --stage dev'),
    });
    expect(aws.stop).toBe('none');
  });
});

describe('rollback', () => {
  test('asks the one that runs to stop, and moves the weights without waiting for it, legacy first', async () => {
    aws.executions = [{ name: 'rollout-2', status: 'RUNNING' }];
    aws.weights = { legacy: 0, serverless: 100 };
    const { exitCode, stdout } = await run('rollback');
    expect(JSON.parse(aws.stop)).toMatchObject({ execution: executionOf('rollout-2') });
    expect(aws.history.slice(1)).toEqual([
      { legacy: 100, serverless: 100 },
      { legacy: 100, serverless: 0 },
    ]);
    expect(stdout).toMatch(/^stopping {2}rollout-2$/m);
    // What is left is told: this stage has no stack Service, and so neither alias nor operator.
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^failed {4}alias: /m);
  });
});

describe('compare', () => {
  const compare = (legacy: string, serverless: string) =>
    cutover(['compare', '--legacy', legacy, '--serverless', serverless], {});

  test('says that all are alike, whatever the order of fields', async () => {
    const [one, other] = await Promise.all([
      listenTo(() => ({ body: '{"a":1,"b":[true]}' })),
      listenTo(() => ({ body: '{"b":[true],"a":1}' })),
    ]);
    const { exitCode, stdout } = await compare(one, other);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'alike    1 paths are answered alike\n' });
  });

  test('names the route that differs, and not the value', async () => {
    const [one, other] = await Promise.all([
      listenTo(() => ({ body: '{"a":{"name":"alice"}}' })),
      listenTo(() => ({ body: '{"a":{"name":"bob"}}' })),
    ]);
    const { exitCode, stdout, stderr } = await compare(one, other);
    expect(exitCode).toBe(1);
    expect(stdout).toBe('differs  GET /api/config/flags  /a/name: another string\n');
    expect(stdout + stderr).not.toMatch(/alice|bob/);
  });

  test.each<[string, readonly string[], string]>([
    ['no backends', [], 'which backends?'],
    ['one of two', ['--legacy', 'http://a'], 'which backends?'],
    ['no URL', ['--legacy', 'a', '--serverless', 'http://b'], '--legacy is "a"; it must be a URL'],
    [
      'no file',
      ['--legacy', 'http://a', '--serverless', 'http://b', '--paths', '/nowhere'],
      '--paths /nowhere',
    ],
  ])('%s: exit code 2', async (_what, args, message) => {
    const { exitCode, stderr } = await cutover(['compare', ...args], {});
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
  });
});
