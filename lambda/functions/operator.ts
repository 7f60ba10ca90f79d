import { parseOperatorEvent } from '../operator/event.ts';
import { type OperatorReport, operate } from '../operator/operate.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-operator');

/**
 * One turn of what the command line does, inside the VPC: `{ "command": "flush" }`, `census` or `cleanup`, with its options. With
 * DRY_RUN it deletes nothing, unless the event says otherwise. Who asks goes on with `positions` until it is complete: the
 * scheduled flush, or `cutover ... --stage`.
 * @throws FlushEventError, ConfigurationError; what a pass throws.
 */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<OperatorReport> {
  const report = await operate(process.env, {
    event: parseOperatorEvent(event),
    remainingMs: () => context.getRemainingTimeInMillis(),
  });
  logger.info(titleOf(report), countsOf(report));
  return report;
}

function titleOf(report: OperatorReport): string {
  if (report.command === 'census') return 'counted';
  return report.dryRun ? 'dry run' : 'flushed';
}

/** Neither patterns nor positions nor keys: what somebody works on by hand may name a person. */
function countsOf(report: OperatorReport): Record<string, unknown> {
  const { classes: _classes, positions: _positions, ...rest } = report;
  if (rest.command !== 'census') return { ...rest };
  const { servers: _servers, ...counts } = rest;
  return { ...counts };
}
