import { environmentName } from '../cache/phase.ts';
import { COVERAGE_SECONDS } from '../contract/rollout.ts';
import { openMonitoring } from '../flush/scheduled/cloudwatch.ts';
import { operatorNamed } from '../flush/scheduled/invoke-operator.ts';
import { checkRecovery } from '../flush/scheduled/scheduled.ts';
import { redAlarms } from '../rollout/aws/alarms.ts';
import { awsFigures } from '../rollout/aws/figures.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import type { CoverageAnswer } from '../rollout/checks.ts';
import { requireSet, requireTask } from '../rollout/event.ts';
import { gateTask } from '../rollout/tasks/gate.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-gate';
const SERVICE = `cutover-${FUNCTION}`;
const logger = createLogger(SERVICE);

/** The tasks that only look, at CloudWatch and by the operator. @throws as `gateTask`; OperatorError; the errors of the AWS SDK. */
export async function handler(event: unknown): Promise<unknown> {
  const { task } = requireTask(FUNCTION, event);
  const { NODE_ENV, OPERATOR_FUNCTION, ALARM_PREFIX, API_ID, STOP_PARAMETER } = process.env;
  const settings = requireSet(FUNCTION, { OPERATOR_FUNCTION, ALARM_PREFIX, API_ID, STOP_PARAMETER });
  const environment = environmentName(NODE_ENV);
  const answer = await gateTask({
    async coverage() {
      const operator = operatorNamed(settings.OPERATOR_FUNCTION);
      const told = await operator({ command: 'coverage', sinceSeconds: COVERAGE_SECONDS });
      return told as unknown as CoverageAnswer;
    },
    redAlarms: () => redAlarms(settings.ALARM_PREFIX),
    recovery: (since) =>
      checkRecovery({ check: 'recovery', since }, openMonitoring({ service: SERVICE, environment })),
    figures: awsFigures({ apiId: settings.API_ID, environment }),
    stop: stopParameter(settings.STOP_PARAMETER),
  })(event);
  logger.info(task, { answer });
  return answer;
}
