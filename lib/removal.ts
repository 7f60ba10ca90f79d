import { RemovalPolicy } from 'aws-cdk-lib';
import type { StageConfig } from './stages.ts';

/** What becomes of a resource that leaves its stack: `kept`, or nothing remains of it where no data is kept. */
export function removalPolicy(
  stage: StageConfig,
  kept: RemovalPolicy.SNAPSHOT | RemovalPolicy.RETAIN,
): RemovalPolicy {
  return stage.keepsData ? kept : RemovalPolicy.DESTROY;
}
