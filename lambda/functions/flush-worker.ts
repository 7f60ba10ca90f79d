import { environmentName } from '../cache/phase.ts';
import { readSwitch } from '../contract/switches.ts';
import { type FlushReport, flush } from '../flush/flush.ts';
import { planFlush } from '../flush/plan.ts';
import { targetOf } from '../flush/target.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-flush');

/** Flushes the cache families; with DRY_RUN it only counts. Invoked by its schedule, inside the VPC. */
export async function handler(): Promise<FlushReport> {
  const target = targetOf(process.env, 'flush');
  const dryRun = readSwitch(process.env, 'DRY_RUN');
  const plan = planFlush({ env: environmentName(process.env['NODE_ENV']) });
  const report = await flush({ target, plan, dryRun });
  // No keys in the log: an id in a key may be a person's.
  const { classes: _classes, positions: _positions, ...counts } = report;
  logger.info(dryRun ? 'dry run' : 'flushed', counts);
  return report;
}
