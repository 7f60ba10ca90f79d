import { Stack, Validations } from 'aws-cdk-lib';
import type { CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Schedule, type ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';

interface ScheduleOptions {
  readonly fn: LambdaFunction;
  readonly deadLetters: DeadLetters;
  readonly description: string;
  readonly schedule: ScheduleExpression;
}

/**
 * Invokes a function on a schedule, each time once: what is late is not wanted, and the next time is not far. What the scheduler
 * cannot deliver and what the function fails at are kept.
 */
export function invokeOnSchedule(scope: Construct, options: ScheduleOptions): void {
  const { fn, deadLetters, description, schedule } = options;
  deadLetters.keepFailuresOf(fn, { retryAttempts: 0 });
  new Schedule(scope, 'Schedule', {
    description,
    schedule,
    // Without an input the scheduler sends an event of its own.
    target: new LambdaInvoke(fn, {
      retryAttempts: 0,
      deadLetterQueue: deadLetters.queue,
      input: ScheduleTargetInput.fromObject({}),
    }),
  });
  const stack = Stack.of(scope);
  const functionId = stack.getLogicalId(fn.node.defaultChild as CfnFunction);
  // The scheduler's role belongs to the stack, not to a construct in it.
  Validations.of(stack).acknowledge({
    id: `AwsSolutions-IAM5[Resource::<${functionId}.Arn>:*]`,
    reason: 'The versions of the one function that the schedule invokes.',
  });
}
