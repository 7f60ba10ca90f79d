import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import { NO_STOP, TASKS } from '../../../../lambda/contract/rollout.ts';
import { resourcesOf } from '../../../infra/support/synthesis.ts';
import { awsEnvironment } from '../../../support/aws.ts';
import { listenTo } from '../../../support/listen-to.ts';
import {
  executionOf,
  MACHINE,
  NAME,
  type RolloutAws,
  STOP,
  startRolloutAws,
  ZONE,
} from '../../../support/rollout-aws.ts';
import { synthesizeRollout } from '../../../support/rollout-definition.ts';

const ENVIRONMENT = { ...process.env };
const { definition, templates } = synthesizeRollout();
const operations: Template = templates.operations;
let aws: RolloutAws;

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** What the role of a construct may do, with what all functions may left out: traces, and where failures are kept. */
function granted(construct: string): string[] {
  const policies = resourcesOf(operations, 'AWS::IAM::Policy').filter(([id]) => id.startsWith(construct));
  const statements = policies.flatMap(
    ([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
  );
  return statements
    .flatMap(({ Action }) => Action)
    .filter((action) => !/^(xray|logs|sqs):/.test(action))
    .sort();
}

const CURSOR = {
  ...{ stages: [{ percent: 5, minutes: 15 }], index: 0, step: 'begin', percent: 0, note: '' },
  ...{ weights: { legacy: 100, serverless: 0 }, advancedAt: new Date(Date.now() - 60_000).toISOString() },
};
const COVERED = {
  judged: true,
  complete: true,
  writers: [],
  instances: [{ service: 'legacy', mirror: true }],
};
const execution = executionOf('rollout-1');

beforeEach(async () => {
  aws = await startRolloutAws({ functions: { operator: async () => COVERED } });
  const backend = await listenTo(() => ({ body: '{}' }));
  process.env = {
    ...ENVIRONMENT,
    ...awsEnvironment(aws),
    ...{
      AWS_MAX_ATTEMPTS: '1',
      NODE_ENV: 'test',
      OPERATOR_FUNCTION: 'operator',
      ALARM_PREFIX: 'Cutover-',
      API_ID: 'a',
    },
    ...{ HOSTED_ZONE_ID: ZONE, RECORD_NAME: NAME, STOP_PARAMETER: STOP, STATE_MACHINE: MACHINE },
    ...{ LEGACY_ADDRESS: backend, SERVERLESS_ADDRESS: backend, HOST_NAME: NAME, COMPARE_PATHS: '["/"]' },
    ...{ LEGACY_TARGET: 'l.example.net', SERVERLESS_TARGET: 's.example.net', LOG_LEVEL: 'SILENT' },
  };
});
afterAll(() => {
  process.env = { ...ENVIRONMENT };
});

/** What was asked for, as IAM names it. */
function called(): string[] {
  const others = aws.requests.map((request) =>
    request.replace(/^cloudwatch /, 'cloudwatch:').replace(/^lambda .*/, 'lambda:InvokeFunction'),
  );
  const own = aws.record.map((request) => request.replace(' ', ':'));
  return [...new Set([...others, ...own])].sort();
}

describe('a role may what its tasks call, and nothing else', () => {
  test('rollout-traffic', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-traffic.ts');
    expect(TASKS['rollout-traffic']).toHaveLength(4);
    await handler({ task: 'plan', execution, machine: MACHINE, stages: CURSOR.stages });
    await handler({ task: 'advance', execution, cursor: CURSOR });
    aws.weights = { legacy: 0, serverless: 100 };
    await handler({ task: 'legacy', execution });
    await handler({ task: 'serverless', execution });
    expect(granted('RolloutTasksTraffic')).toEqual(called());
  });

  test('rollout-gate', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-gate.ts');
    expect(TASKS['rollout-gate']).toHaveLength(4);
    await handler({ task: 'coverage', execution });
    await handler({ task: 'alarms', execution });
    await handler({ task: 'recovery', execution, since: CURSOR.advancedAt });
    await handler({ task: 'observe', execution, cursor: CURSOR });
    expect(granted('RolloutTasksGate')).toEqual(called());
  });

  test('rollout-compare', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-compare.ts');
    expect(TASKS['rollout-compare']).toEqual(['compare']);
    await handler({ task: 'compare', execution });
    expect(granted('RolloutTasksCompare')).toEqual(called());
  });

  test('rollout-stop', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-stop.ts');
    aws.executions = [{ name: 'rollout-1', status: 'RUNNING' }];
    const parameters = JSON.stringify({ MessageAttributes: { token: { StringValue: 'TOKEN' } } });
    aws.events = [
      {
        ...{ id: 7, timestamp: 1, type: 'TaskScheduled' },
        taskScheduledEventDetails: { resource: 'publish.waitForTaskToken', resourceType: 'sns', parameters },
      },
    ];
    const detail = { deploymentId: 'd-1', state: 'FAILURE' };
    expect(await handler({ detail })).toEqual({ stopped: [execution] });
    expect(granted('RolloutTasksStop')).toEqual(called());
    expect(JSON.parse(aws.stop)).toEqual({ execution, reason: 'the deployment d-1 ended with FAILURE' });
    expect(aws.sent).toEqual([
      'failure TOKEN RolloutStoppedError rollout: stopped: the deployment d-1 ended with FAILURE',
    ]);
  });

  test('rollout-records', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-records.ts');
    expect(await handler()).toEqual({ changed: ['legacy 100', 'serverless 0'] });
    expect(granted('WeightedRecords')).toEqual(called());
  });

  test('the state machine', () => {
    const resources = Object.values(definition.States).flatMap(
      (state) => (state['Resource'] as string) ?? [],
    );
    const lambdas = new Set(resources.filter((arn) => arn.includes(':lambda:')));
    expect(lambdas.size).toBe(4);
    expect(granted('RolloutMachineRole')).toEqual(['lambda:InvokeFunction', 'sns:Publish']);
    const [, policy] =
      resourcesOf(operations, 'AWS::IAM::Policy').find(([id]) => id.startsWith('RolloutMachineRole')) ?? [];
    const { Statement } = (policy?.Properties['PolicyDocument'] ?? {}) as { Statement: Statement[] };
    const invoke = Statement.find(({ Action }) => Action === 'lambda:InvokeFunction');
    expect(invoke?.Resource).toHaveLength(lambdas.size);
  });
});

describe('the stop', () => {
  test('does nothing where no rollout runs', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-stop.ts');
    expect(await handler({})).toEqual({ stopped: [] });
    expect(aws.stop).toBe(NO_STOP);
  });
});

describe('the records', () => {
  test('are made where they are missing, all of the traffic with the legacy backend', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-records.ts');
    aws.weights = {};
    expect(await handler()).toEqual({ changed: ['legacy 100', 'serverless 0'] });
    expect(aws.targets).toEqual({ legacy: 'l.example.net', serverless: 's.example.net' });
  });

  test('get another target, and keep the weights that somebody has moved', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-records.ts');
    aws.weights = { legacy: 75, serverless: 25 };
    Object.assign(aws.targets, { legacy: 'l.example.net' });
    expect(await handler()).toEqual({ changed: ['serverless 25'] });
    expect([aws.weights, aws.targets['serverless']]).toEqual([
      { legacy: 75, serverless: 25 },
      's.example.net',
    ]);
    expect(await handler()).toEqual({ changed: [] });
  });
});
