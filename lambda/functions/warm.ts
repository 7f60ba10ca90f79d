import { environmentName } from '../cache/phase.ts';
import { METRICS_NAMESPACE } from '../contract/metrics.ts';
import { createPool } from '../database/pool.ts';
import { databaseUrlOf } from '../database/url.ts';
import type { Flags } from '../flags/service.ts';
import { type WarmReport, warmFlags } from '../flags/warm.ts';
import { wireFlags } from '../flags/wire.ts';
import { openCache } from '../outbox/open-cache.ts';
import { createLogger, errorFields } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';

const SERVICE = 'cutover-warm';
const logger = createLogger(SERVICE);
let flags: Flags | undefined;

/**
 * Fills the cache with the whole set of flags; run by the deployment before the new version takes traffic. A server that
 * is away fails no deployment; a configuration that the API could not start with either does.
 */
export async function handler(): Promise<WarmReport> {
  flags ??= await openFlags();
  const report = await warmFlags(flags);
  logger.info('flags warmed', { ...report });
  return report;
}

async function openFlags(): Promise<Flags> {
  const environment = environmentName(process.env['NODE_ENV']);
  const database = createPool({
    url: databaseUrlOf(process.env, 'warm'),
    applicationName: SERVICE,
    maxConnections: 2,
    onError: (error) => logger.warn('database connection error', errorFields(error)),
  });
  const { cache, writes } = await openCache(process.env, { database, logger });
  const metrics = createMetrics({ namespace: METRICS_NAMESPACE, serviceName: SERVICE, environment });
  return wireFlags({ environment, cache, database, writes, logger, metrics });
}
