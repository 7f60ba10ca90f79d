import type { AuditReport } from '../audit/audit.ts';
import { type Auditor, openAuditor } from '../audit/open-auditor.ts';
import { environmentName } from '../cache/phase.ts';
import { AUDITOR_SERVICE, METRICS, METRICS_NAMESPACE } from '../contract/metrics.ts';
import type { Position } from '../flush/pass/sweep.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';

const logger = createLogger(AUDITOR_SERVICE);
let opened: { readonly auditor: Auditor; readonly metrics: Metrics } | undefined;
/** Where the last pass has stopped, which had no time for all keys. */
let positions: readonly Position[] = [];

/** What may leave the function: no key, since an id in a key may be a person's. */
export type AuditAnswer = Omit<AuditReport, 'stale' | 'positions'> & {
  readonly stale: readonly Omit<AuditReport['stale'][number], 'key'>[];
};

/**
 * Compares a sample of what is cached with its rows, and records how many entries were looked at and how many were stale. Invoked each
 * 5 minutes, inside the VPC.
 * @throws as `openAuditor` and `audit`: then nothing is recorded, and missing figures are an alarm's matter.
 */
export async function handler(): Promise<AuditAnswer> {
  opened ??= {
    auditor: await openAuditor(process.env, logger),
    metrics: createMetrics({
      namespace: METRICS_NAMESPACE,
      serviceName: AUDITOR_SERVICE,
      environment: environmentName(process.env['NODE_ENV']),
    }),
  };
  const { auditor, metrics } = opened;
  const report = await auditor.audit({ from: positions });
  positions = report.complete ? [] : report.positions;
  metrics.record([
    { name: METRICS.checkedEntries, unit: 'Count', values: [report.audited] },
    { name: METRICS.staleEntries, unit: 'Count', values: [report.stale.length] },
  ]);
  const { stale, positions: _positions, ...figures } = report;
  const answer = { ...figures, stale: stale.map(({ key: _key, ...entry }) => entry) };
  if (stale.length > 0) logger.error('stale entries', answer);
  else logger.info('audited', answer);
  return answer;
}
