import { afterAll, beforeEach, expect, test } from '@jest/globals';
import {
  MACHINE_OUTPUTS,
  ROLLOUT_OUTPUTS,
  SERVICE_OUTPUTS,
  stackNameOf,
} from '../../../../lambda/contract/outputs.ts';
import { STATES } from '../../../../lambda/contract/rollout.ts';
import { stageSource } from '../../../../scripts/aws/console/source.ts';
import { awsEnvironment } from '../../../support/aws.ts';
import { type Deployed, deployedStage } from '../../../support/aws-stage.ts';
import { MACHINE, NAME, type RolloutAws, STOP, startRolloutAws, ZONE } from '../../../support/rollout-aws.ts';
import { describeStacks } from '../../../support/stacks.ts';

const ENVIRONMENT = { ...process.env };
const MINUTE_MS = 60_000;
const BEGAN = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
let aws: RolloutAws;
let stacks: Deployed['stacks'];
let now: number;

beforeEach(async () => {
  const service = Object.fromEntries(Object.values(SERVICE_OUTPUTS).map((name) => [name, 'x']));
  stacks = {
    ...deployedStage('dev').stacks,
    [stackNameOf('dev', 'Service')]: { ...service, MigrationPhase: 'isolated', NodeEnvironment: 'test' },
    [stackNameOf('dev', 'Operations')]: {
      [ROLLOUT_OUTPUTS.hostedZoneId]: ZONE,
      [ROLLOUT_OUTPUTS.recordName]: NAME,
      [MACHINE_OUTPUTS.machine]: MACHINE,
      [MACHINE_OUTPUTS.stopParameter]: STOP,
    },
  };
  aws = await startRolloutAws({
    services: { cloudformation: describeStacks(() => stacks) },
    pagePoints: 1000,
  });
  process.env = { ...ENVIRONMENT, ...awsEnvironment(aws), AWS_MAX_ATTEMPTS: '1' };
  now = BEGAN;
});
afterAll(() => {
  process.env = { ...ENVIRONMENT };
});

const put = (minute: number, value: number) =>
  aws.data.push({
    ...{ namespace: 'Cutover', name: 'Requests', at: BEGAN + minute * MINUTE_MS, value },
    dimensions: 'environment=test, service=cutover-api',
  });
const enter = (id: number, name: string) => ({
  ...{ id, timestamp: BEGAN / 1000 + id, type: 'TaskStateEntered' },
  stateEnteredEventDetails: { name, input: '{}' },
});

test('a second look asks once for what may be new, and takes late figures of a minute for those before', async () => {
  const source = await stageSource('dev', () => now);
  put(-3, 100);
  put(-2, 10);
  await source.refresh();
  put(-2, 40);
  put(-1, 100);
  // Not over yet.
  now += 1.5 * MINUTE_MS;
  put(1, 1);
  const before = aws.requests.filter((each) => each === 'cloudwatch GetMetricData').length;
  await source.refresh();
  expect(aws.requests.filter((each) => each === 'cloudwatch GetMetricData')).toHaveLength(before + 1);
  expect(source.samples().map(({ backends }) => backends.serverless.requests)).toEqual([100, 50, 100]);
});

test('the looks at a gate are told once, in the order of their time, and a new rollout begins anew', async () => {
  const source = await stageSource('dev', () => now);
  aws.executions = [{ name: 'rollout-1', status: 'RUNNING' }];
  aws.events = [
    enter(4, STATES.observe),
    enter(3, STATES.watching),
    enter(2, STATES.observe),
    enter(1, STATES.plan),
  ];
  await source.refresh();
  await source.refresh();
  expect(source.state().log.map(({ text }) => text)).toEqual([STATES.plan, STATES.observe, STATES.watching]);
  aws.executions = [{ name: 'rollout-2', status: 'RUNNING' }];
  aws.events = [enter(1, STATES.plan)];
  await source.refresh();
  expect(source.state().machine?.state).toBe(STATES.plan);
});

test.each(['ExpiredTokenException', 'ThrottlingException'])(
  'AWS that answers %s does not end it, and that it answers again is told',
  async (error) => {
    const source = await stageSource('dev', () => now);
    aws.refuse('ListExecutions', error);
    await source.refresh();
    expect(source.state()).toMatchObject({
      safety: { level: 'wait' },
      weights: { legacy: 100, serverless: 0 },
    });
    aws.allow();
    await source.refresh();
    expect(source.state().log.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(source.state().log.at(-1)?.text).toBe('AWS answers again');
  },
);
