import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { EndpointsOf } from '../data/endpoint.ts';
import { databasePauses } from '../stages.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';
import type { DeadLetters } from './dead-letters.ts';
import { invokeOnSchedule } from './invoke-on-schedule.ts';

interface DispatchScheduleProps {
  readonly platform: FunctionPlatform;
  readonly endpoints: EndpointsOf<'dispatcher'>;
  readonly deadLetters: DeadLetters;
}

/**
 * The dispatcher of the outbox, every minute: that is how long a write that answered `pending` can be unseen. A database that pauses
 * would never pause, so there it has no schedule: `pending` lasts until the next connection of a process, until the entry's time to
 * live is over, or until somebody invokes the dispatcher.
 */
export class DispatchSchedule extends Construct {
  readonly fn: IFunction;

  constructor(scope: Construct, id: string, { platform, endpoints, deadLetters }: DispatchScheduleProps) {
    super(scope, id);
    const { stage } = platform;
    const fn = new CutoverFunction(this, 'Function', {
      platform,
      name: 'dispatcher',
      description: 'Repeats the invalidations that nobody has confirmed',
      settings: { NODE_ENV: stage.nodeEnv, LOG_LEVEL: stage.logLevel },
      endpoints,
      timeoutSeconds: 60,
    });
    this.fn = fn;
    if (databasePauses(stage)) return;
    invokeOnSchedule(this, {
      ...{ fn, deadLetters },
      description: `Dispatch of the outbox of stage ${stage.name}`,
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
    });
  }
}
