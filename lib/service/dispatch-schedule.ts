import { Duration } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { Endpoints } from '../data/endpoint.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';
import { invokeOnSchedule } from './invoke-on-schedule.ts';

interface DispatchScheduleProps {
  readonly platform: FunctionPlatform;
  readonly endpoints: Endpoints;
}

/** The dispatcher of the outbox, every minute: that is how long a write that answered `pending` can be unseen. */
export class DispatchSchedule extends Construct {
  constructor(scope: Construct, id: string, { platform, endpoints }: DispatchScheduleProps) {
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
    invokeOnSchedule(this, {
      fn,
      description: `Dispatch of the outbox of stage ${stage.name}`,
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
    });
  }
}
