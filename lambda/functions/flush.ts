import { environmentName } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { parseScheduledEvent } from '../flush/event.ts';
import { openMonitoring } from '../flush/scheduled/cloudwatch.ts';
import { workerNamed } from '../flush/scheduled/invoke-worker.ts';
import type { Recovery } from '../flush/scheduled/recovery.ts';
import { checkRecovery, flushAndRecord, type ScheduledReport } from '../flush/scheduled/scheduled.ts';
import { createLogger } from '../telemetry/logger.ts';

const SERVICE = 'cutover-flush';
const logger = createLogger(SERVICE);

/**
 * The scheduled flush, outside the VPC: has the worker flush, and records in CloudWatch what it was like. Or the question
 * `{ "check": "recovery", "since": "2026-11-27T03:00:00Z" }`: is the hit rate back since the flush that began then?
 * @throws FlushEventError and ConfigurationError before anything is done; FlushWorkerError; the errors of the AWS SDK.
 */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<ScheduledReport | Recovery> {
  const asked = parseScheduledEvent(event);
  const environment = environmentName(process.env['NODE_ENV']);
  const { FLUSH_WORKER } = process.env;
  if (!FLUSH_WORKER) {
    throw new ConfigurationError(
      'flush: FLUSH_WORKER is not set; it is the name of the function flush-worker',
    );
  }
  const monitoring = openMonitoring({ service: SERVICE, environment });
  if ('check' in asked) {
    const recovery = await checkRecovery(asked, monitoring);
    logger.info('recovery checked', { since: asked.since, ...recovery });
    return recovery;
  }
  const report = await flushAndRecord({
    ...{ event: asked, worker: workerNamed(FLUSH_WORKER), monitoring, logger },
    remainingMs: () => context.getRemainingTimeInMillis(),
  });
  const { positions: _positions, ...told } = report;
  logger.info(report.dryRun ? 'dry run' : 'flushed', told);
  if (!report.complete)
    logger.warn('not complete; a run with its positions goes on', { turns: report.turns });
  return report;
}
