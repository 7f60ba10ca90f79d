import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import { NO_STOP, TASKS } from '../../../../lambda/contract/rollout.ts';
import { resourcesOf } from '../../../infra/support/synthesis.ts';
import { awsEnvironment } from '../../../support/aws.ts';
import { listenTo } from '../../../support/listen-to.ts';
import {
  executionOf,
  type IamCall,
  MACHINE,
  NAME,
  type RolloutAws,
  STOP,
  startRolloutAws,
  ZONE,
} from '../../../support/rollout-aws.ts';
import { resolved, synthesizeRollout } from '../../../support/rollout-definition.ts';

const OPERATOR = 'arn:aws:lambda:eu-central-1:111122223333:function:operator';
const ENVIRONMENT = { ...process.env };
const { definition, templates } = synthesizeRollout();
const operations: Template = templates.operations;
let aws: RolloutAws;

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}
interface Grant {
  readonly action: string;
  /** An ARN, which may end with a star. */
  readonly resource: string;
  readonly condition: Statement['Condition'];
}

/** What the role of a construct may do, but for what every function may: traces, and where failures are kept. */
function granted(construct: string): Grant[] {
  const policies = resourcesOf(operations, 'AWS::IAM::Policy').filter(([id]) => id.startsWith(construct));
  const statements = policies.flatMap(
    ([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
  );
  return statements.flatMap(({ Action, Resource, Condition: condition }) =>
    [Action]
      .flat()
      .filter((action) => !/^(xray|logs|sqs):/.test(action))
      .flatMap((action) => [Resource].flat().map((each) => ({ action, resource: arnOf(each), condition }))),
  );
}

const REFERENCES: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '111122223333',
};

/** As CloudFormation resolves it. */
function arnOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, 'Fn::GetStackOutput': output, Ref } = value as Record<string, unknown>;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(arnOf).join('');
  if (typeof Ref === 'string') return REFERENCES[Ref] ?? (Ref.startsWith('RolloutStop') ? STOP : Ref);
  if (/GetAttOperator[0-9A-F]+Arn/.test(JSON.stringify(output))) return OPERATOR;
  return JSON.stringify(value);
}

const allows = ({ action, resource, condition }: Grant, call: IamCall): boolean =>
  action === call.action &&
  (resource.endsWith('*') ? call.resource.startsWith(resource.slice(0, -1)) : call.resource === resource) &&
  Object.entries(condition ?? {}).every(
    ([operator, keys]) =>
      operator === 'ForAllValues:StringEquals' &&
      Object.entries(keys).every(([key, values]) =>
        call.context[key]?.every((each) => values.includes(each)),
      ),
  );

/** Each call is allowed, and each grant is used; a condition only where there is something that it is about. */
function expectExact(construct: string): void {
  const [grants, calls] = [granted(construct), called()];
  expect(calls.filter((call) => !grants.some((grant) => allows(grant, call)))).toEqual([]);
  expect(grants.filter((grant) => !calls.some((call) => allows(grant, call)))).toEqual([]);
  const conditions = grants.flatMap(({ action, condition }) =>
    Object.values(condition ?? {}).flatMap((keys) => Object.keys(keys).map((key) => ({ action, key }))),
  );
  for (const { action, key } of conditions) {
    expect(calls.some((call) => call.action === action && call.context[key]?.length)).toBe(true);
  }
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

/** What was asked for, as IAM decides it: CloudWatch knows no resources. */
function called(): IamCall[] {
  const others = aws.requests.map(
    (request): IamCall =>
      request.startsWith('cloudwatch ')
        ? { action: request.replace(' ', ':'), resource: '*', context: {} }
        : { action: 'lambda:InvokeFunction', resource: OPERATOR, context: {} },
  );
  return [...others, ...aws.calls];
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
    expectExact('RolloutTasksTraffic');
  });

  test('rollout-gate', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-gate.ts');
    expect(TASKS['rollout-gate']).toHaveLength(4);
    await handler({ task: 'coverage', execution });
    await handler({ task: 'alarms', execution });
    await handler({ task: 'recovery', execution, since: CURSOR.advancedAt });
    await handler({ task: 'observe', execution, cursor: CURSOR });
    expectExact('RolloutTasksGate');
  });

  test('rollout-compare', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-compare.ts');
    expect(TASKS['rollout-compare']).toEqual(['compare']);
    await handler({ task: 'compare', execution });
    expectExact('RolloutTasksCompare');
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
    expectExact('RolloutTasksStop');
    expect(JSON.parse(aws.stop)).toEqual({ execution, reason: 'the deployment d-1 ended with FAILURE' });
    expect(aws.sent).toEqual([
      'failure TOKEN RolloutStoppedError rollout: stopped: the deployment d-1 ended with FAILURE',
    ]);
  });

  test('rollout-records', async () => {
    const { handler } = await import('../../../../lambda/functions/rollout-records.ts');
    expect(await handler()).toEqual({ changed: ['legacy 100', 'serverless 0'] });
    expectExact('WeightedRecords');
  });

  test('the state machine', () => {
    const states = Object.values(definition.States) as {
      Resource?: string;
      Parameters?: { TopicArn?: string };
    }[];
    const functions = states.flatMap(({ Resource = '' }) =>
      Resource.includes(':lambda:') ? [Resource] : [],
    );
    const topics = states.flatMap(({ Parameters }) => Parameters?.TopicArn ?? []);
    const called = [
      ...functions.map((resource) => `lambda:InvokeFunction ${resource}`),
      ...topics.map((resource) => `sns:Publish ${resource}`),
    ];
    const policies = resourcesOf(operations, 'AWS::IAM::Policy').filter(([id]) =>
      id.startsWith('RolloutMachineRole'),
    );
    const statements = policies.flatMap(
      ([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
    );
    const may = statements.flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .filter((action) => !/^(xray|logs):/.test(action))
        .flatMap((action) => [Resource].flat().map((each) => `${action} ${resolved(each)}`)),
    );
    expect([...new Set(may)].sort()).toEqual([...new Set(called)].sort());
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
