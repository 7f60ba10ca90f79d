import { figure, METRICS } from '../contract/metrics.ts';
import type { Figure } from '../telemetry/metrics.ts';
import type { Backlog } from './backlog.ts';
import type { DispatchReport } from './dispatch.ts';

/** What a dispatch is in metrics: zeros, too, since an alarm has to see that it is over. */
export function figuresOf(
  { uncovered = [] }: Pick<DispatchReport, 'uncovered'>,
  { rows, oldestSeconds }: Backlog,
): Figure[] {
  return [
    figure(METRICS.outboxPending, rows),
    figure(METRICS.outboxOldestAge, Math.round(oldestSeconds * 100) / 100),
    figure(METRICS.uncoveredWriters, uncovered.length),
  ];
}
