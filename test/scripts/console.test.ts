import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  MACHINE_OUTPUTS,
  ROLLOUT_OUTPUTS,
  SERVICE_OUTPUTS,
  stackNameOf,
} from '../../lambda/contract/outputs.ts';
import { STATES } from '../../lambda/contract/rollout.ts';
import type { ConsoleState, Sample } from '../../rehearsal/console/contract.ts';
import { freePort } from '../../rehearsal/servers/process.ts';
import { awsEnvironment } from '../support/aws.ts';
import { cutover, startCutover } from '../support/cli.ts';
import { MACHINE, NAME, type RolloutAws, STOP, startRolloutAws, ZONE } from '../support/rollout-aws.ts';
import { describeStacks } from '../support/stacks.ts';

const STAGE = 'dev';
const MINUTE_MS = 60_000;
let aws: RolloutAws;
let stacks: Record<string, Record<string, string>>;
/** The beginning of a minute that CloudWatch has. */
const at = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 3 * MINUTE_MS;

const cloudformation = describeStacks(() => stacks);

const put = (name: string, value: number, more = '', service = 'cutover-api') =>
  aws.data.push({
    ...{ namespace: 'Cutover', name, at, value },
    dimensions: `environment=test, ${more}service=${service}`,
  });

const CURSOR = {
  stages: [
    { percent: 5, minutes: 60 },
    { percent: 25, minutes: 30 },
    { percent: 100, minutes: 60 },
  ],
  ...{ index: 1, step: 'observe', percent: 25, weights: { legacy: 75, serverless: 25 } },
  ...{ advancedAt: new Date(at).toISOString(), note: 'the serverless backend has 25 %' },
};
const enter = (id: number, name: string, cursor: object = CURSOR, seen?: object) => ({
  ...{ id, timestamp: at / 1000 + id, type: 'TaskStateEntered' },
  stateEnteredEventDetails: { name, input: JSON.stringify({ cursor, seen }) },
});

beforeEach(async () => {
  aws = await startRolloutAws({ services: { cloudformation }, pagePoints: 1000 });
  const service = Object.fromEntries(Object.values(SERVICE_OUTPUTS).map((name) => [name, 'x']));
  stacks = {
    [stackNameOf(STAGE, 'Service')]: { ...service, MigrationPhase: 'isolated', NodeEnvironment: 'test' },
    [stackNameOf(STAGE, 'Operations')]: {
      [ROLLOUT_OUTPUTS.hostedZoneId]: ZONE,
      [ROLLOUT_OUTPUTS.recordName]: NAME,
      [MACHINE_OUTPUTS.machine]: MACHINE,
      [MACHINE_OUTPUTS.stopParameter]: STOP,
    },
  };
  put('Requests', 1200);
  put('CacheHits', 950);
  put('CacheMisses', 50);
  put('RequestLatency', 20, 'route=flags, ');
  aws.alarms['Cutover-Dev-Service-ServerErrors'] = 'OK';
  aws.weights = { legacy: 75, serverless: 25 };
  aws.executions = [{ name: 'rollout-3', status: 'RUNNING' }];
  aws.events = [enter(8, STATES.observe), enter(7, STATES.watching), enter(6, STATES.advance)];
});

const run = (...args: string[]) => cutover(['console', '--stage', STAGE, ...args], awsEnvironment(aws));

async function look(): Promise<{ state: ConsoleState; samples: Sample[] }> {
  const { exitCode, stdout, stderr } = await run('--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('what is shown of a stage', () => {
  test('is what AWS tells of its rollout, weights, figures and alarms', async () => {
    const { state, samples } = await look();
    expect(state).toMatchObject({
      ...{ kind: 'stage', title: 'stage dev', status: 'running', actions: [] },
      weights: { legacy: 75, serverless: 25 },
      stages: [
        { name: '5 %', status: 'passed', reasons: [] },
        { name: '25 %', status: 'current', reasons: [] },
        { name: '100 %', status: 'next', reasons: [] },
      ],
      machine: { state: STATES.observe },
      totals: { requests: 1200, errors5xx: 0, writes: null, lostSessions: null, staleReads: 0 },
      alarms: [{ name: 'Service-ServerErrors', state: 'ok' }],
      marks: [{ kind: 'weight', text: 'to 25 %' }],
    });
    expect(state.safety).toEqual({
      level: 'wait',
      text: 'the serverless backend has 25 %; nothing speaks against going on so far.',
    });
    expect(samples).toEqual([
      {
        ...{ at, spanMs: MINUTE_MS, fallbacks: 0 },
        backends: {
          legacy: expect.objectContaining({ requests: null, namespace: 'K' }),
          serverless: {
            ...{ requests: 1200, errors: 0, hits: 950, misses: 50, p50Ms: 20, p95Ms: 20 },
            namespace: 'v2:',
          },
        },
      },
    ]);
  });

  test('is unsafe with a red alarm, a stale entry, and a rollout that went back, which it says first', async () => {
    aws.alarms['Cutover-Dev-Service-ServerErrors'] = 'ALARM';
    put('StaleEntries', 2, '', 'cutover-auditor');
    const { state } = await look();
    expect(state.safety).toEqual({
      level: 'unsafe',
      text: expect.stringMatching(/^red alarms: Service-ServerErrors; the auditor found 2 entries/),
    });
    expect(state.totals.staleReads).toBe(2);
    expect(state.log).toContainEqual(
      expect.objectContaining({
        level: 'error',
        text: expect.stringContaining('npm run cutover -- explain'),
      }),
    );
    const cause = JSON.stringify({ errorMessage: 'rollout: the gate does not hold' });
    aws.executions = [{ name: 'rollout-3', status: 'FAILED', error: 'RolloutGateError', cause }];
    const failed = (await look()).state;
    expect(failed.safety.text).toBe('The rollout went back: rollout: the gate does not hold');
    expect(failed.stages[1]).toEqual({
      ...{ name: '25 %', status: 'failed' },
      reasons: ['rollout: the gate does not hold'],
    });
  });

  test('waits where a stage waits for an approval, and is safe where nothing runs and nothing is wrong', async () => {
    aws.events = [enter(9, STATES.approve, undefined, { cursor: CURSOR })];
    expect((await look()).state).toMatchObject({
      ...{ status: 'paused', safety: { level: 'wait' } },
      // It has not begun.
      stages: [{ status: 'passed' }, { name: '25 %', status: 'next' }, { status: 'next' }],
    });
    aws.executions = [];
    expect((await look()).state).toMatchObject({
      ...{ status: 'idle', machine: null, stages: [] },
      safety: { level: 'safe', text: expect.stringMatching(/^No rollout runs/) },
    });
  });

  test('waits without figures', async () => {
    aws.data.length = 0;
    expect((await look()).state.safety).toEqual({
      level: 'wait',
      text: 'CloudWatch has no figures of the last minutes.',
    });
  });

  test('of which a part cannot be asked says so, and shows the rest', async () => {
    aws.refuse('ListResourceRecordSets');
    const { state } = await look();
    expect([state.totals.requests, state.weights]).toEqual([1200, null]);
    expect(state.safety).toEqual({
      level: 'wait',
      text: expect.stringMatching(/^AWS cannot be asked: route53:ListResourceRecordSets of/),
    });
    expect(state.log.at(-1)).toMatchObject({
      level: 'error',
      text: expect.stringContaining('may not do this'),
    });
  });
});

test('it is served until Ctrl-C, with what the help says that it may do', async () => {
  const port = await freePort();
  const args = ['console', '--stage', STAGE, '--no-open', '--every', '10', '--port', String(port)];
  const running = startCutover(args, awsEnvironment(aws));
  const state = await answered(`http://127.0.0.1:${port}/state`);
  expect(state.title).toBe('stage dev');
  running.interrupt();
  expect(await running.ended).toMatchObject({ exitCode: 0, stderr: '' });
  const { stdout: help } = await run('--help');
  const [, needed = ''] = /They need (.*?)\.\n/s.exec(help) ?? [];
  const said = needed.split(/[,\s]+/).map((action) => action.replace(/^\w+:/, ''));
  const asked = new Set([...aws.record, ...aws.requests].map((each) => each.split(' ')[1] ?? ''));
  expect(said.sort()).toEqual([...asked, 'DescribeStacks'].sort());
});

async function answered(url: string): Promise<ConsoleState> {
  for (;;) {
    try {
      return (await (await fetch(url)).json()) as ConsoleState;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe('it is refused', () => {
  test.each([
    [['--every', '5'], 2, 'console: --every="5" is not a whole number from 10 to 3600'],
    [['--port', 'x'], 2, 'console: --port="x" is not a whole number from 1 to 65535'],
  ])('for %j', async (args, exitCode, message) => {
    expect(await run(...args)).toMatchObject({ exitCode, stderr: expect.stringContaining(message) });
  });

  test('for a stage without a rollout', async () => {
    stacks[stackNameOf(STAGE, 'Operations')] = {};
    expect(await run('--json')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('dev has no rollout; set'),
    });
  });
});
