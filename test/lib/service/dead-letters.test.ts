import { describe, expect, it } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const SCHEDULE = 'AWS::Scheduler::Schedule';
const { service } = synthesize('staging');
const [queueId, queue] = onlyResource(service, 'AWS::SQS::Queue');
const ARN = { 'Fn::GetAtt': [queueId, 'Arn'] };

const functionsOf = (template: Template, type: string, property: string) =>
  resourcesOf(template, type).map(([, { Properties }]) => Properties[property]);

function idOf(name: string, template: Template = service): string {
  const ids = resourcesOf(template, 'AWS::Lambda::Function').map(([id]) => id);
  const [id = '', ...others] = ids.filter((each) => each.startsWith(name));
  expect([id, others]).toEqual([expect.stringMatching(name), []]);
  return id;
}

describe('what nobody waits for and fails', () => {
  it('is kept for 14 days, encrypted, for who comes with TLS', () => {
    expect(queue.Properties).toMatchObject({
      MessageRetentionPeriod: 14 * 24 * 3600,
      SqsManagedSseEnabled: true,
    });
    expect(onlyResource(service, 'AWS::SQS::QueuePolicy')[1].Properties).toMatchObject({
      Queues: [{ Ref: queueId }],
      PolicyDocument: {
        Statement: [
          {
            ...{ Effect: 'Deny', Action: 'sqs:*', Principal: { AWS: '*' }, Resource: ARN },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    });
  });

  it.each([
    ['FlushFunction', 0],
    ['DispatchFunction', 0],
    ['AuditFunction', 0],
    // Lambda tries these twice more: CodeDeploy waits for an hour.
    ['HooksPreTraffic', undefined],
    ['HooksPostTraffic', undefined],
  ])('is kept of %s, tried again %s times', (name, retries) => {
    const configs = resourcesOf(service, 'AWS::Lambda::EventInvokeConfig').map(
      ([, { Properties }]) => Properties,
    );
    const config = configs.filter(({ FunctionName }) => JSON.stringify(FunctionName).includes(idOf(name)));
    expect(config).toHaveLength(1);
    expect(config[0]).toMatchObject({ DestinationConfig: { OnFailure: { Destination: ARN } } });
    expect(config[0]?.['MaximumRetryAttempts']).toBe(retries);
    const policies = resourcesOf(service, 'AWS::IAM::Policy').filter(([id]) => id.startsWith(name));
    const statements = policies.flatMap(
      ([, { Properties }]) =>
        (Properties['PolicyDocument'] as { Statement: { Action: unknown; Resource: unknown }[] }).Statement,
    );
    expect(statements.filter(({ Resource }) => JSON.stringify(Resource) === JSON.stringify(ARN))).toEqual([
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: ARN },
    ]);
  });

  it('is kept of the scheduler, which tries once', () => {
    const targets = functionsOf(service, SCHEDULE, 'Target');
    expect(targets).toHaveLength(3);
    for (const target of targets) {
      expect(target).toMatchObject({
        DeadLetterConfig: { Arn: ARN },
        RetryPolicy: { MaximumRetryAttempts: 0 },
      });
    }
  });
});

describe('the dispatcher', () => {
  const dispatches = (template: Template) =>
    resourcesOf(template, SCHEDULE).filter(([id]) => id.startsWith('Dispatch'));

  it('is invoked every minute, with an event that is its own and not the scheduler’s', () => {
    expect(dispatches(service).map(([, { Properties }]) => Properties)).toMatchObject([
      {
        ScheduleExpression: 'rate(1 minute)',
        State: 'ENABLED',
        Target: { Arn: { 'Fn::GetAtt': [idOf('DispatchFunction'), 'Arn'] }, Input: '{}' },
      },
    ]);
  });

  it('is left to who invokes it by hand where the database pauses: it would not', () => {
    const { service: pausing } = synthesize('staging', {
      change: (stage) => ({
        ...stage,
        database: { minCapacityUnits: 0, maxCapacityUnits: 2, readers: 0 },
      }),
    });
    expect(dispatches(pausing)).toEqual([]);
    expect(resourcesOf(pausing, SCHEDULE)).toHaveLength(1);
    expect(idOf('DispatchFunction', pausing)).not.toBe('');
  });
});
