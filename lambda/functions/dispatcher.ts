import type { DispatchReport } from '../outbox/dispatch.ts';
import { type Dispatcher, openDispatcher } from '../outbox/dispatcher.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-dispatcher');
let dispatcher: Dispatcher | undefined;

/** Repeats the invalidations that nobody has confirmed. Invoked every minute, inside the VPC. */
export async function handler(): Promise<DispatchReport> {
  dispatcher ??= await openDispatcher(process.env, logger);
  const report = await dispatcher.dispatch();
  if (report.confirmed > 0 || report.pending) logger.info('dispatched', { ...report });
  return report;
}
