import { Duration } from 'aws-cdk-lib';
import { AlarmStatusWidget, Dashboard, type IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Watched } from '../../../lambda/contract/alarms.ts';
import { type AnyMetricName, namespaceOf } from '../../../lambda/contract/metrics.ts';
import type { MetricSources } from '../../metrics.ts';
import type { StageConfig } from '../../stages.ts';
import { graph, type Line, words } from './widgets.ts';

export interface CutoverDashboardProps {
  readonly stage: StageConfig;
  readonly sources: MetricSources;
  readonly healthy: IAlarm;
}

const sum = (own: AnyMetricName): Watched => ({ own, statistic: 'Sum' });
const inNamespace = (own: AnyMetricName, value: string): Watched => ({
  ...{ own, by: 'namespace', value },
  statistic: 'Sum',
});

/** Whether to go on: the questions of the runbook's "Watch", in its order. */
export class CutoverDashboard extends Dashboard {
  constructor(scope: Construct, id: string, { stage, sources, healthy }: CutoverDashboardProps) {
    // During a step of a migration two phases run at once.
    const namespaces = [...new Set(['legacy', namespaceOf(stage.phase)])];
    const show = (title: string, unit: 'percent' | 'ms' | undefined, lines: readonly Line[]) =>
      graph({ title, sources, lines, ...(unit && { unit }) });

    super(scope, id, {
      defaultInterval: Duration.hours(3),
      widgets: [
        [words(weightsOf(stage))],
        [new AlarmStatusWidget({ title: 'The cutover is healthy', alarms: [healthy], width: 24, height: 2 })],
        [
          show('Hit rate, and keys flushed', 'percent', [
            {
              label: 'serverless, all',
              expression: '100 * hits / (hits + misses)',
              metrics: { hits: sum('CacheHits'), misses: sum('CacheMisses') },
            },
            ...namespaces.map((namespace) => ({
              label: `serverless, ${namespace}`,
              expression: `100 * ${namespace}hits / (${namespace}hits + ${namespace}misses)`,
              metrics: {
                [`${namespace}hits`]: inNamespace('CacheHits', namespace),
                [`${namespace}misses`]: inNamespace('CacheMisses', namespace),
              },
            })),
            { label: 'keys flushed', metric: sum('FlushedKeys'), right: true },
          ]),
          show('Errors, and requests', undefined, [
            { label: 'requests', metric: { aws: 'apiRequests', statistic: 'Sum' }, right: true },
            { label: '5xx', metric: { aws: 'apiServerErrors', statistic: 'Sum' } },
            { label: '4xx', metric: { aws: 'apiClientErrors', statistic: 'Sum' } },
          ]),
        ],
        [
          show('p95', 'ms', [
            { label: 'API', metric: { aws: 'apiLatency', statistic: 'p95' } },
            { label: 'Redis', metric: { own: 'RedisLatency', statistic: 'Maximum' } },
            { label: 'database', metric: { own: 'DatabaseLatency', statistic: 'p95' } },
          ]),
          show('Coherence', undefined, [
            { label: 'stale entries', metric: sum('StaleEntries') },
            { label: 'invalidations pending', metric: { own: 'OutboxPending', statistic: 'Maximum' } },
            {
              label: 'writers without the mirror',
              metric: { own: 'UncoveredWriters', statistic: 'Maximum' },
            },
            { label: 'entries compared', metric: sum('CheckedEntries'), right: true },
            { label: 'fenced fills', metric: sum('FencedFills'), right: true },
          ]),
        ],
        [
          show('Fallbacks to un-prefixed keys', undefined, [
            { label: 'fallbacks', metric: inNamespace('LegacyFallbacks', 'cw') },
          ]),
          show('Redis, as the API sees it', undefined, [
            { label: 'connections that failed', metric: sum('RedisConnectionFailures') },
            { label: 'breaker open', metric: { own: 'BreakerOpen', statistic: 'Maximum' } },
            { label: 'errors', metric: sum('CacheErrors') },
            {
              label: 'connections of a process',
              metric: { own: 'RedisConnections', statistic: 'Maximum' },
              right: true,
            },
          ]),
        ],
      ],
    });
  }
}

/** Route 53 has no metric of them: where they stand is asked for. */
function weightsOf({ name, rollout, phase }: StageConfig): string {
  const where = rollout
    ? `The weights of ${rollout.domainName}: \`aws route53 list-resource-record-sets --hosted-zone-id ${rollout.hostedZoneId}\`.`
    : 'This stage shares no domain: it has no weights.';
  return `**${name}**, phase \`${phase}\`. ${where} The legacy backend’s mirror records nothing: these are the serverless backend’s figures.`;
}
