import { environmentName } from '../cache/phase.ts';
import { COVERAGE_SECONDS, type Cursor } from '../contract/rollout.ts';
import { openMonitoring } from '../flush/scheduled/cloudwatch.ts';
import { operatorNamed } from '../flush/scheduled/invoke-operator.ts';
import { checkRecovery } from '../flush/scheduled/scheduled.ts';
import { redAlarms } from '../rollout/aws/alarms.ts';
import { awsFigures } from '../rollout/aws/figures.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { type CoverageAnswer, requireCoverage, requireGreen } from '../rollout/checks.ts';
import { requireSet, requireTask } from '../rollout/event.ts';
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
  const { NODE_ENV, OPERATOR_FUNCTION, ALARM_PREFIX, API_ID, STOP_PARAMETER } = process.env;
  const settings = requireSet(FUNCTION, { OPERATOR_FUNCTION, ALARM_PREFIX, API_ID, STOP_PARAMETER });
  const environment = environmentName(NODE_ENV);
  const { task, execution, ...rest } = asked;
  const answer = await unlessStopped(stopParameter(settings.STOP_PARAMETER), execution, () =>
    look(task, { ...rest, ...settings, environment }),
  );
  logger.info(task, { answer });
  return answer;
}

interface Looked {
  readonly cursor?: Cursor;
  readonly since?: string;
  readonly environment: string;
  readonly OPERATOR_FUNCTION: string;
  readonly ALARM_PREFIX: string;
  readonly API_ID: string;
}

async function look(task: string, asked: Looked): Promise<unknown> {
  const { cursor, since = '', environment } = asked;
  if (task === 'coverage') {
    const operator = operatorNamed(asked.OPERATOR_FUNCTION);
    const told = await operator({ command: 'coverage', sinceSeconds: COVERAGE_SECONDS });
    return requireCoverage(told as unknown as CoverageAnswer);
  }
  if (task === 'alarms') return requireGreen(await redAlarms(asked.ALARM_PREFIX));
  if (task === 'recovery') {
    const monitoring = openMonitoring({ service: SERVICE, environment });
    return judgeRecovered(await checkRecovery({ check: 'recovery', since }, monitoring));
  }
  const figures = awsFigures({ apiId: asked.API_ID, environment });
  return observe(cursor as Cursor, { figures, now: Date.now() });
}
