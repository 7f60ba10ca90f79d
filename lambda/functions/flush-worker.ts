import { environmentName } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { readSwitch } from '../contract/switches.ts';
import type { FlushReport } from '../flush/engine.ts';
import { planFlush } from '../flush/plan.ts';
import { flushAt } from '../flush/run.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-flush');

/** Flushes the cache families; with DRY_RUN it only counts. Invoked by its schedule, inside the VPC. */
export async function handler(): Promise<FlushReport> {
  const { REDIS_URL: url } = process.env;
  if (!url) throw new ConfigurationError('flush: REDIS_URL is not set; it is redis://host:6379');
  const dryRun = readSwitch(process.env, 'DRY_RUN');
  const report = await flushAt(url, {
    plan: planFlush({ env: environmentName(process.env['NODE_ENV']) }),
    dryRun,
  });
  // No keys in the log: an id in a key may be a person's.
  const { samples: _samples, ...counts } = report;
  logger.info(dryRun ? 'dry run' : 'flushed', counts);
  return report;
}
