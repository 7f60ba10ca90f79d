import { environmentName } from '../cache/phase.ts';
import { COVERAGE_SECONDS, type Cursor } from '../contract/rollout.ts';
import { openMonitoring } from '../flush/scheduled/cloudwatch.ts';
import { operatorNamed } from '../flush/scheduled/invoke-operator.ts';
import { checkRecovery } from '../flush/scheduled/scheduled.ts';
import { redAlarms } from '../rollout/aws/alarms.ts';
import { awsFigures } from '../rollout/aws/figures.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { type CoverageAnswer, requireCoverage, requireGreen } from '../rollout/checks.ts';
import { requireTask, requireVariables } from '../rollout/event.ts';
import { unlessStopped } from '../rollout/stop.ts';
import { judgeRecovered, observe } from '../rollout/watch.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-gate';
const SERVICE = `cutover-${FUNCTION}`;
const logger = createLogger(SERVICE);

/**
 * The tasks of a rollout that only look: `coverage` and `alarms` before a stage, `recovery` after a flush, `observe` while it serves.
 * @throws RolloutGateError with what speaks against going on; RolloutStoppedError; OperatorError; the errors of the AWS SDK.
 */
export async function handler(event: unknown): Promise<unknown> {
  const asked = requireTask(FUNCTION, event);
  const { STOP_PARAMETER } = requireVariables(FUNCTION, 'STOP_PARAMETER');
  const { task, execution, ...rest } = asked;
  const answer = await unlessStopped(stopParameter(STOP_PARAMETER), execution, () => look(task, rest));
  logger.info(task, { answer });
  return answer;
}

async function look(task: string, { cursor, since }: { cursor?: Cursor; since?: string }): Promise<unknown> {
  if (task === 'coverage') {
    const { OPERATOR_FUNCTION } = requireVariables(FUNCTION, 'OPERATOR_FUNCTION');
    const told = await operatorNamed(OPERATOR_FUNCTION)({
      command: 'coverage',
      sinceSeconds: COVERAGE_SECONDS,
    });
    return requireCoverage(told as unknown as CoverageAnswer);
  }
  if (task === 'alarms') {
    const { ALARM_PREFIX } = requireVariables(FUNCTION, 'ALARM_PREFIX');
    return requireGreen(await redAlarms(ALARM_PREFIX));
  }
  const environment = environmentName(process.env['NODE_ENV']);
  if (task === 'recovery') {
    const monitoring = openMonitoring({ service: SERVICE, environment });
    return judgeRecovered(await checkRecovery({ check: 'recovery', since: since ?? '' }, monitoring));
  }
  const { API_ID } = requireVariables(FUNCTION, 'API_ID');
  const figures = awsFigures({ apiId: API_ID, environment });
  return observe(cursor as Cursor, { figures, now: Date.now() });
}
