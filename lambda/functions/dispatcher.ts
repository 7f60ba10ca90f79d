import { environmentName } from '../cache/phase.ts';
import { DISPATCHER_SERVICE, METRICS_NAMESPACE } from '../contract/metrics.ts';
import type { DispatchReport } from '../outbox/dispatch.ts';
import { type Dispatcher, openDispatcher } from '../outbox/dispatcher.ts';
import { figuresOf } from '../outbox/figures.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';

const logger = createLogger(DISPATCHER_SERVICE);
let opened: { readonly dispatcher: Dispatcher; readonly metrics: Metrics } | undefined;

/** Repeats the invalidations that nobody has confirmed, and records what is left. Invoked every minute, inside the VPC. */
export async function handler(): Promise<DispatchReport> {
  opened ??= {
    dispatcher: await openDispatcher(process.env, logger),
    metrics: createMetrics({
      namespace: METRICS_NAMESPACE,
      serviceName: DISPATCHER_SERVICE,
      environment: environmentName(process.env['NODE_ENV']),
    }),
  };
  const { dispatcher, metrics } = opened;
  const report = await dispatcher.dispatch();
  metrics.record(figuresOf(report, await dispatcher.backlog()));
  if (report.confirmed > 0 || report.pending) logger.info('dispatched', { ...report });
  return report;
}
