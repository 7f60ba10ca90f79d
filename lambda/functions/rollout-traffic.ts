import { awsExecutions } from '../rollout/aws/machine.ts';
import { awsRecords } from '../rollout/aws/records.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { requireSet, requireTask } from '../rollout/event.ts';
import { trafficTask } from '../rollout/tasks/traffic.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-traffic';
const logger = createLogger(`cutover-${FUNCTION}`);

/** The tasks that read and move the weights of Route 53. @throws as `trafficTask`; the errors of the AWS SDK. */
export async function handler(event: unknown): Promise<unknown> {
  const { task } = requireTask(FUNCTION, event);
  const { HOSTED_ZONE_ID, RECORD_NAME, STOP_PARAMETER } = process.env;
  const settings = requireSet(FUNCTION, { HOSTED_ZONE_ID, RECORD_NAME, STOP_PARAMETER });
  const answer = await trafficTask({
    records: awsRecords({ hostedZoneId: settings.HOSTED_ZONE_ID, recordName: settings.RECORD_NAME }),
    executions: awsExecutions(),
    stop: stopParameter(settings.STOP_PARAMETER),
  })(event);
  logger.info(task, { answer });
  return answer;
}
