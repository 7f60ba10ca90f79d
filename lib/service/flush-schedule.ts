import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { Endpoints } from '../data/endpoint.ts';
import { CutoverFunction, type FunctionPlatform, REDIS_SETTINGS } from './cutover-function.ts';
import { invokeOnSchedule } from './invoke-on-schedule.ts';

interface FlushScheduleProps {
  readonly platform: FunctionPlatform;
  readonly endpoints: Pick<Endpoints, 'REDIS_URL'>;
}

/** The flush, once a day: a dry run that counts and deletes nothing, unless the stage says otherwise. */
export class FlushSchedule extends Construct {
  constructor(scope: Construct, id: string, { platform, endpoints }: FlushScheduleProps) {
    super(scope, id);
    const { stage } = platform;
    const fn = new CutoverFunction(this, 'Function', {
      platform,
      name: 'flush-worker',
      description: 'Counts, and unless it is a dry run deletes, the cached keys of the flushed families',
      settings: {
        NODE_ENV: stage.nodeEnv,
        ...REDIS_SETTINGS,
        DRY_RUN: String(stage.flush.dryRun),
        LOG_LEVEL: stage.logLevel,
      },
      endpoints,
      // Above the 60 s that the flush gives itself, so that it is the flush that reports, not the sandbox.
      timeoutSeconds: 90,
    });
    invokeOnSchedule(this, {
      fn,
      description: `Flush of stage ${stage.name}${stage.flush.dryRun ? ' (dry run)' : ''}`,
      schedule: ScheduleExpression.cron({ minute: '0', hour: String(stage.flush.hourUtc) }),
    });
  }
}
