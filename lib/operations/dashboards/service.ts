import { Duration } from 'aws-cdk-lib';
import { Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { AwsMetricKey } from '../../../lambda/contract/aws-metrics.ts';
import { ROUTES } from '../../../lambda/contract/metrics.ts';
import type { MetricSources } from '../../metrics.ts';
import { graph, type Line } from './widgets.ts';

export interface ServiceDashboardProps {
  readonly sources: MetricSources;
}

/** The API by its routes, the functions, the database. */
export class ServiceDashboard extends Dashboard {
  constructor(scope: Construct, id: string, { sources }: ServiceDashboardProps) {
    const show = (title: string, lines: readonly Line[], unit?: 'ms') =>
      graph({ title, sources, lines, ...(unit && { unit }) });
    const ofFunctions = (aws: AwsMetricKey): Line[] =>
      (['api', 'dispatcher', 'auditor', 'flush'] as const).map((name) => ({
        ...{ label: name, metric: { aws, of: name, statistic: 'Sum' } },
      }));
    const byRoute = (own: 'RequestLatency' | 'ServerErrors', statistic: 'p95' | 'Sum'): Line[] =>
      ROUTES.map((route) => ({ label: route, metric: { own, by: 'route', value: route, statistic } }));
    const isOurs = sources.databaseClusterId !== undefined;

    super(scope, id, {
      defaultInterval: Duration.hours(12),
      widgets: [
        [
          show('p95 by route', byRoute('RequestLatency', 'p95'), 'ms'),
          show('Failures by route', byRoute('ServerErrors', 'Sum')),
        ],
        [
          show('Requests', [
            { label: 'API Gateway', metric: { aws: 'apiRequests', statistic: 'Sum' } },
            { label: 'answered by the API', metric: { own: 'Requests', statistic: 'Sum' } },
          ]),
          show('Sandboxes, and requests turned away', [
            {
              label: 'sandboxes',
              metric: { aws: 'functionConcurrency', of: 'api', statistic: 'Maximum' },
            },
            {
              ...{ label: 'turned away', right: true },
              metric: { aws: 'functionThrottles', of: 'api', statistic: 'Sum' },
            },
          ]),
        ],
        [
          show('Invocations that failed', ofFunctions('functionErrors')),
          show('Kept for somebody to look at', [
            { label: 'dead letters', metric: { aws: 'deadLetters', statistic: 'Maximum' } },
            { label: 'oldest invalidation, s', metric: { own: 'OutboxOldestAge', statistic: 'Maximum' } },
          ]),
        ],
        [
          show(
            'Statements',
            (['p50', 'p95'] as const).map((statistic) => ({
              ...{ label: statistic, metric: { own: 'DatabaseLatency', statistic } },
            })),
            'ms',
          ),
          ...(isOurs
            ? [
                show('Database', [
                  {
                    label: 'connections',
                    metric: { aws: 'databaseConnections', statistic: 'Maximum' },
                  },
                  {
                    ...{ label: 'capacity units', right: true },
                    metric: { aws: 'databaseCapacity', statistic: 'Maximum' },
                  },
                ]),
              ]
            : []),
        ],
      ],
    });
  }
}
