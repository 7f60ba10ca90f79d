import { awsRecords } from '../rollout/aws/records.ts';
import { requireSet } from '../rollout/event.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-records';
const logger = createLogger(`cutover-${FUNCTION}`);

/**
 * Makes the weighted records where they are missing, all of the traffic to the legacy backend; where they are there it changes their
 * targets and leaves their weights, which are the rollout's. Once a deployment that changes it. @throws the errors of the AWS SDK.
 */
export async function handler(): Promise<{ readonly changed: readonly string[] }> {
  const { HOSTED_ZONE_ID, RECORD_NAME, LEGACY_TARGET, SERVERLESS_TARGET } = process.env;
  const settings = requireSet(FUNCTION, { HOSTED_ZONE_ID, RECORD_NAME, LEGACY_TARGET, SERVERLESS_TARGET });
  const records = awsRecords({ hostedZoneId: settings.HOSTED_ZONE_ID, recordName: settings.RECORD_NAME });
  const changed = await records.ensure(
    { legacy: settings.LEGACY_TARGET, serverless: settings.SERVERLESS_TARGET },
    { legacy: 100, serverless: 0 },
  );
  logger.info('records', { changed });
  return { changed };
}
