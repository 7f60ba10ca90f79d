import { describe, expect, it } from '@jest/globals';
import validate from 'asl-validator';
import { MACHINE_OUTPUTS } from '../../../lambda/contract/outputs.ts';
import { DEFAULT_ROLLOUT_STAGES, STATES, TASK_TIMEOUT_SECONDS } from '../../../lambda/contract/rollout.ts';
import { rehearsedDefinition } from '../../../rehearsal/rollout/definition.ts';
import { ROLLOUT } from '../../infra/support/existing.ts';
import { onlyResource, resourcesOf } from '../../infra/support/synthesis.ts';
import { synthesizeRollout } from '../../support/rollout-definition.ts';

const { definition, templates } = synthesizeRollout();
const { operations } = templates;
const entries = Object.entries(definition.States);
const tasks = entries.filter(([, { Type }]) => Type === 'Task');

/** Where a state may lead. */
const nextOf = (state: object): string[] =>
  JSON.stringify(state)
    .match(/"(?:Next|Default)":"[^"]+"/g)
    ?.map((found) => found.replace(/^"\w+":"|"$/g, '')) ?? [];

/** Without what is local: whose name a resource has, and the stage's in messages. */
const bare = (state: object | undefined): unknown =>
  JSON.parse(
    JSON.stringify(state)
      // What CDK says of each, and is so without it.
      .replace(/,?"QueryLanguage":"JSONPath"/, '')
      .replace(/"(?:Resource|TopicArn)":"(?!arn:aws:states)[^"]+"/g, '"Resource":""')
      .replace(/\b(?:dev|rehearsal)\b/g, 'STAGE'),
  );

describe('the definition', () => {
  it.each([
    ['isolated', true],
    ['legacy', false],
    ['dual', true],
  ] as const)('is valid in the phase %s, and flushes its namespace: %s', (phase, flushes) => {
    const { definition: own } = synthesizeRollout((stage) => ({ ...stage, phase }));
    const { isValid, errorsText } = validate(own as never, { checkPaths: true, checkArn: true });
    expect(isValid ? '' : errorsText('\n')).toBe('');
    expect(STATES.flushBack in own.States).toBe(flushes);
  });

  it('would be noticed to be invalid', () => {
    const broken = { ...definition, StartAt: 'Nowhere' };
    expect(validate(broken as never, {}).isValid).toBe(false);
  });

  it('is, state by state, what a rehearsal executes', () => {
    const rehearsed = rehearsedDefinition(ROLLOUT.stages ?? DEFAULT_ROLLOUT_STAGES);
    expect(rehearsed.StartAt).toBe(definition.StartAt);
    expect(Object.keys(rehearsed.States)).toEqual(Object.keys(definition.States));
    for (const [name, state] of Object.entries(rehearsed.States)) {
      expect(bare(definition.States[name])).toEqual(bare(state));
    }
  });

  it('has every state of the contract, and leads to each', () => {
    const names = entries.map(([name]) => name);
    expect(names.sort()).toEqual(Object.values(STATES).sort());
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      for (const next of nextOf(definition.States[name] ?? {})) visit(next);
    };
    visit(definition.StartAt);
    expect([...reached].sort()).toEqual(names.sort());
  });

  it.each(tasks)(
    '%s has a deadline, retries throttling with backoff, and leads on when it fails',
    (_name, state) => {
      const { TimeoutSeconds, Retry, Catch } = state as unknown as {
        TimeoutSeconds: number;
        Retry: { ErrorEquals: string[]; BackoffRate: number; MaxAttempts: number }[];
        Catch: { ErrorEquals: string[]; ResultPath: string; Next: string }[];
      };
      expect(TimeoutSeconds).toBeGreaterThan(TASK_TIMEOUT_SECONDS);
      expect(Retry[0]?.ErrorEquals).toEqual(
        expect.arrayContaining(['ThrottlingException', 'Lambda.TooManyRequestsException']),
      );
      expect(Retry[0]).toMatchObject({ BackoffRate: 2, MaxAttempts: 6 });
      expect(Catch.at(-1)?.ErrorEquals).toEqual(['States.ALL']);
      // A path would keep nothing of what is known so far.
      expect(Catch.map(({ ResultPath }) => ResultPath)).not.toContain('$');
    },
  );

  it('outlives the functions that it waits for: what has timed out is not still at work', () => {
    const timeouts = resourcesOf(operations, 'AWS::Lambda::Function')
      .filter(([id]) => id.startsWith('RolloutTasks'))
      .map(([, { Properties }]) => Properties['Timeout']);
    expect(timeouts).toEqual([240, 240, 240, 240]);
    const [, flush] =
      resourcesOf(templates.service, 'AWS::Lambda::Function').find(([id]) =>
        id.startsWith('FlushFunction'),
      ) ?? [];
    expect(definition.States[STATES.flush]?.['TimeoutSeconds']).toBeGreaterThan(
      Number(flush?.Properties['Timeout']),
    );
  });

  it('has the stages of the configuration, by default 5, 25, 50 and 100 %', () => {
    const stagesIn = (of: typeof definition) =>
      (of.States[STATES.plan]?.['Parameters'] as { stages?: unknown } | undefined)?.stages;
    expect(stagesIn(definition)).toEqual(DEFAULT_ROLLOUT_STAGES);
    expect(DEFAULT_ROLLOUT_STAGES.map(({ percent }) => percent)).toEqual([5, 25, 50, 100]);
    const stages = [
      { percent: 7, minutes: 21, approval: true },
      { percent: 80, minutes: 34 },
    ];
    const { definition: own } = synthesizeRollout((stage) => ({
      ...stage,
      ...(stage.rollout && { rollout: { ...stage.rollout, stages } }),
    }));
    expect(stagesIn(own)).toEqual(stages);
  });

  it('waits for 2 minutes after a flush', () => {
    expect(definition.States[STATES.settle]).toMatchObject({ Type: 'Wait', Seconds: 120 });
  });
});

describe('the state machine', () => {
  const [, machine] = onlyResource(operations, 'AWS::StepFunctions::StateMachine');

  it('is traced, logs all of it, and keeps its executions', () => {
    expect(machine.Properties).toMatchObject({
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
    });
  });

  it('has a name that its tasks know, and no deadline of its own, which would leave the weights half-way', () => {
    expect(machine.Properties['StateMachineName']).toBe('cutover-dev-rollout');
    expect('TimeoutSeconds' in definition).toBe(false);
  });

  it('is what the command line is told of', () => {
    const outputs = operations.toJSON()['Outputs'];
    const [id] = onlyResource(operations, 'AWS::StepFunctions::StateMachine');
    expect(outputs[MACHINE_OUTPUTS.machine].Value).toEqual({ Ref: id });
    const [parameterId, parameter] = onlyResource(operations, 'AWS::SSM::Parameter');
    expect(outputs[MACHINE_OUTPUTS.stopParameter].Value).toEqual({ Ref: parameterId });
    expect(parameter.Properties).toMatchObject({ Name: '/cutover/dev/rollout/stop', Value: 'none' });
  });
});

describe('a failed deployment', () => {
  it('stops the rollout', () => {
    const [, rule] = onlyResource(operations, 'AWS::Events::Rule');
    expect(rule.Properties['EventPattern']).toMatchObject({
      source: ['aws.codedeploy'],
      'detail-type': ['CodeDeploy Deployment State-change Notification'],
      detail: { state: ['FAILURE', 'STOP'] },
    });
    expect(JSON.stringify(rule.Properties['Targets'])).toContain('RolloutTasksStop');
  });
});
