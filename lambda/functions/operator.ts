import { type Answer, answer } from '../operator/answer.ts';
import { isQuestion, parseOperatorEvent } from '../operator/event.ts';
import { operate, type TurnReport } from '../operator/operate.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-operator');

/**
 * One turn of what the command line does, inside the VPC: `{ "command": "flush" }`, `census` or `cleanup`, with its options; and the
 * questions `doctor`, `explain`, `phase` and `coverage`, which change nothing. With
 * DRY_RUN it deletes nothing, unless the event says otherwise. Who asks goes on with `positions` until it is complete: the
 * scheduled flush, or `cutover ... --stage`.
 * @throws FlushEventError, ConfigurationError; what a pass throws.
 */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<TurnReport | Answer> {
  const parsed = parseOperatorEvent(event);
  const remainingMs = () => context.getRemainingTimeInMillis();
  if (isQuestion(parsed)) {
    const answered = await answer(process.env, { event: parsed, remainingMs });
    // Nothing of what was found out: a key may name a person.
    logger.info('answered', { command: parsed.command });
    return answered;
  }
  const report = await operate(process.env, { event: parsed, remainingMs });
  logger.info(titleOf(report), countsOf(report));
  return report;
}

function titleOf(report: TurnReport): string {
  if (report.command === 'census') return 'counted';
  return report.dryRun ? 'dry run' : 'flushed';
}

/** Neither patterns nor positions nor keys: what somebody works on by hand may name a person. */
function countsOf(report: TurnReport): Record<string, unknown> {
  const { classes: _classes, positions: _positions, ...rest } = report;
  if (rest.command !== 'census') return { ...rest };
  const { servers: _servers, ...counts } = rest;
  return { ...counts };
}
