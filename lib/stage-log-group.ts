import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { removalPolicy } from './removal.ts';
import type { StageConfig } from './stages.ts';

/**
 * A log group of the stage: made here and not by the service that writes to it, which would set neither a
 * retention nor who removes it.
 */
export class StageLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, stage: StageConfig) {
    super(scope, id, {
      retention: stage.logRetentionDays,
      removalPolicy: removalPolicy(stage, RemovalPolicy.RETAIN),
    });
  }
}
