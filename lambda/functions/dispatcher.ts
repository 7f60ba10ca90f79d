import { environmentName } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import type { DispatchReport } from '../outbox/dispatch.ts';
import { type Dispatcher, openDispatcher } from '../outbox/dispatcher.ts';
import { redisOptionsOf } from '../redis/options.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-dispatcher');
let dispatcher: Dispatcher | undefined;

/** Repeats the invalidations that nobody has confirmed. Invoked every minute, inside the VPC. */
export async function handler(): Promise<DispatchReport> {
  dispatcher ??= await open();
  const report = await dispatcher.dispatch();
  if (report.confirmed > 0 || report.pending) logger.info('dispatched', { ...report });
  return report;
}

function open(): Promise<Dispatcher> {
  const { DATABASE_URL: databaseUrl } = process.env;
  const redis = redisOptionsOf(process.env);
  if (!redis) throw new ConfigurationError('dispatcher: REDIS_URL is not set; it is redis://host:6379');
  if (!databaseUrl) {
    throw new ConfigurationError(
      'dispatcher: DATABASE_URL is not set; it is postgresql://user:password@host:5432/name',
    );
  }
  return openDispatcher({ redis, databaseUrl, env: environmentName(process.env['NODE_ENV']), logger });
}
