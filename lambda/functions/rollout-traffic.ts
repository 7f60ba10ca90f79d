import type { Cursor } from '../contract/rollout.ts';
import { awsExecutions } from '../rollout/aws/machine.ts';
import { awsRecords } from '../rollout/aws/records.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { requireSet, requireTask, type TaskEvent } from '../rollout/event.ts';
import { unlessStopped } from '../rollout/stop.ts';
import { advance, giveLegacy, type PlanTask, plan, takeServerless } from '../rollout/traffic.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-traffic';
const logger = createLogger(`cutover-${FUNCTION}`);

/**
 * The tasks of a rollout that read and move the weights: `plan` and `advance`, and on the way back `legacy` and `serverless`, which no
 * stop holds up. @throws RolloutRefusedError, RolloutWeightsError, RolloutStoppedError; the errors of the AWS SDK.
 */
export async function handler(event: unknown): Promise<unknown> {
  const asked = requireTask(FUNCTION, event);
  const { HOSTED_ZONE_ID, RECORD_NAME, STOP_PARAMETER } = process.env;
  const settings = requireSet(FUNCTION, { HOSTED_ZONE_ID, RECORD_NAME, STOP_PARAMETER });
  const records = awsRecords({ hostedZoneId: settings.HOSTED_ZONE_ID, recordName: settings.RECORD_NAME });
  const answer = await (async () => {
    if (asked.task === 'legacy') return giveLegacy(records);
    if (asked.task === 'serverless') return takeServerless(records);
    const flag = stopParameter(settings.STOP_PARAMETER);
    return unlessStopped(flag, asked.execution, async () =>
      asked.task === 'plan'
        ? plan(asked as TaskEvent<typeof FUNCTION> & PlanTask, { records, executions: awsExecutions() })
        : advance((asked as unknown as { readonly cursor: Cursor }).cursor, { records }),
    );
  })();
  logger.info(asked.task, { answer });
  return answer;
}
