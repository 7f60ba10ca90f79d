import { environmentName } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { parseScheduledEvent } from '../flush/event.ts';
import { openMonitoring } from '../flush/scheduled/cloudwatch.ts';
import { operatorNamed } from '../flush/scheduled/invoke-operator.ts';
import type { Recovery } from '../flush/scheduled/recovery.ts';
import { checkRecovery, flushAndRecord, type ScheduledReport } from '../flush/scheduled/scheduled.ts';
import type { FlushOnce } from '../flush/scheduled/turns.ts';
import type { FlushTurn } from '../flush/turn.ts';
import { createLogger } from '../telemetry/logger.ts';

const SERVICE = 'cutover-flush';
const logger = createLogger(SERVICE);

/**
 * The scheduled flush, outside the VPC: has the operator flush, and records in CloudWatch what it was like. Or the question
 * `{ "check": "recovery", "since": "2026-11-27T03:00:00Z" }`: is the hit rate back since the flush that began then?
 * @throws FlushEventError and ConfigurationError before anything is done; OperatorError; the errors of the AWS SDK.
 */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<ScheduledReport | Recovery> {
  const asked = parseScheduledEvent(event);
  const environment = environmentName(process.env['NODE_ENV']);
  const { OPERATOR_FUNCTION } = process.env;
  if (!OPERATOR_FUNCTION) {
    throw new ConfigurationError(
      'flush: OPERATOR_FUNCTION is not set; it is the name of the function operator',
    );
  }
  const monitoring = openMonitoring({ service: SERVICE, environment });
  if ('check' in asked) {
    const recovery = await checkRecovery(asked, monitoring);
    logger.info('recovery checked', { since: asked.since, ...recovery });
    return recovery;
  }
  const report = await flushAndRecord({
    ...{ event: asked, flushOnce: flushOnceBy(OPERATOR_FUNCTION), monitoring, logger },
    remainingMs: () => context.getRemainingTimeInMillis(),
  });
  const { positions: _positions, ...told } = report;
  logger.info(report.dryRun ? 'dry run' : 'flushed', told);
  if (!report.complete)
    logger.warn('not complete; a run with its positions goes on', { turns: report.turns });
  return report;
}

/** Both functions are of one deployment, so that the answer is what is asked for. */
function flushOnceBy(functionName: string): FlushOnce {
  const invoke = operatorNamed(functionName);
  return async (event) => (await invoke({ command: 'flush', ...event })) as unknown as FlushTurn;
}
