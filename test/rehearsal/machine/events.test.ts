import { expect, test } from '@jest/globals';
import { machineEventOf } from '../../../lambda/rollout/aws/history.ts';
import type { MachineEvent } from '../../../lambda/rollout/machine-event.ts';
import { type Definition, execute } from '../../../rehearsal/machine/interpreter.ts';

const DEFINITION: Definition = {
  StartAt: 'Try',
  States: {
    Try: {
      Type: 'Task',
      Resource: 'it',
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Decide' }],
      End: true,
    },
    Decide: {
      Type: 'Choice',
      Choices: [{ Variable: '$.Error', IsPresent: true, Next: 'Failed' }],
      Default: 'Failed',
    },
    Failed: { Type: 'Fail', Error: 'Broken', Cause: 'as a test wants it' },
  },
};

test('a rehearsed execution tells what the history of a real one tells', async () => {
  const events: MachineEvent[] = [];
  await execute({
    ...{ definition: DEFINITION, execution: 'one', machine: 'machine' },
    invoke: () => Promise.reject(Object.assign(new Error('no'), { name: 'Refused' })),
    onEvent: (event) => events.push(event),
  });
  // As GetExecutionHistory answers.
  const at = new Date(0);
  const real = [
    { type: 'ExecutionStarted' },
    { type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'Try' } },
    { type: 'TaskFailed', taskFailedEventDetails: { error: 'Refused', cause: 'no' } },
    { type: 'ChoiceStateEntered', stateEnteredEventDetails: { name: 'Decide' } },
    { type: 'ChoiceStateExited', stateExitedEventDetails: { name: 'Decide' } },
    { type: 'FailStateEntered', stateEnteredEventDetails: { name: 'Failed' } },
    {
      type: 'ExecutionFailed',
      executionFailedEventDetails: { error: 'Broken', cause: 'as a test wants it' },
    },
  ] as const;
  const told = real.map((event, id) => machineEventOf({ id, timestamp: at, ...event } as never));
  const bare = (event: MachineEvent) => ({ ...event, at: 0 });
  const isTold = ({ type }: MachineEvent) => told.some((each) => each.type === type);
  expect(events.filter(isTold).map(bare)).toMatchObject(told);
  expect(events.every((event) => !/^State|Caught/.test(event.type))).toBe(true);
});
