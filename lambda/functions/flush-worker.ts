import { environmentName } from '../cache/phase.ts';
import { readSwitch } from '../contract/switches.ts';
import { parseFlushEvent } from '../flush/event.ts';
import { targetOf } from '../flush/target.ts';
import { flushInTurn, type WorkerReport } from '../flush/worker.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-flush-worker');

/**
 * One turn of a flush, inside the VPC: of the cache families, or what the event says. With DRY_RUN it only counts, unless the
 * event says otherwise. Invoked by the scheduled flush until it is complete.
 * @throws FlushEventError, ConfigurationError; what a flush throws.
 */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<WorkerReport> {
  const report = await flushInTurn({
    target: targetOf(process.env, 'flush'),
    env: environmentName(process.env['NODE_ENV']),
    dryRun: readSwitch(process.env, 'DRY_RUN'),
    event: parseFlushEvent(event),
    remainingMs: () => context.getRemainingTimeInMillis(),
  });
  // Neither patterns nor positions: what somebody flushes by hand may name a person.
  const { classes: _classes, positions: _positions, ...counts } = report;
  logger.info(report.dryRun ? 'dry run' : 'flushed', counts);
  return report;
}
