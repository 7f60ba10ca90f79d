import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { EndpointsOf } from '../data/endpoint.ts';
import { databasePauses } from '../stages.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';
import type { DeadLetters } from './dead-letters.ts';
import { invokeOnSchedule } from './invoke-on-schedule.ts';

interface AuditScheduleProps {
  readonly platform: FunctionPlatform;
  readonly endpoints: EndpointsOf<'auditor'>;
  readonly deadLetters: DeadLetters;
}

const MINUTES = 5;
/** A pass of half a minute, and what it has found looked at again. */
const TIMEOUT_SECONDS = 120;

/**
 * The auditor, each 5 minutes: compares a sample of what is cached with its rows. A database that pauses would never pause, so there it has no
 * schedule, and audits when somebody invokes it.
 */
export class AuditSchedule extends Construct {
  readonly fn: IFunction;

  constructor(scope: Construct, id: string, { platform, endpoints, deadLetters }: AuditScheduleProps) {
    super(scope, id);
    const { stage } = platform;
    const fn = new CutoverFunction(this, 'Function', {
      platform,
      name: 'auditor',
      description:
        'Compares a sample of what is cached with its rows, and records what is older than they are',
      settings: { NODE_ENV: stage.nodeEnv, LOG_LEVEL: stage.logLevel },
      endpoints,
      timeoutSeconds: TIMEOUT_SECONDS,
    });
    this.fn = fn;
    if (databasePauses(stage)) return;
    invokeOnSchedule(this, {
      ...{ fn, deadLetters },
      description: `Audit of what stage ${stage.name} has cached`,
      schedule: ScheduleExpression.rate(Duration.minutes(MINUTES)),
    });
  }
}
