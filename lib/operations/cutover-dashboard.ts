import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Dashboard, GraphWidget, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';

const PERIOD = Duration.minutes(1);

interface CutoverDashboardProps {
  readonly cacheNodeIds: readonly string[];
  readonly api: HttpApi;
}

/** The two questions of a rollout: does the cache hit, and does the API answer in time and without errors. */
export class CutoverDashboard extends Dashboard {
  constructor(scope: Construct, id: string, { cacheNodeIds, api }: CutoverDashboardProps) {
    const ofEachNode = (metricName: string, label: string): Metric[] =>
      cacheNodeIds.map(
        (nodeId, index) =>
          new Metric({
            namespace: 'AWS/ElastiCache',
            metricName,
            statistic: 'Sum',
            period: PERIOD,
            dimensionsMap: { CacheClusterId: nodeId },
            label: `${label}, node ${index + 1}`,
          }),
      );
    const latency = (statistic: string): Metric =>
      api.metricLatency({ statistic, period: PERIOD, label: statistic });

    super(scope, id, {
      defaultInterval: Duration.hours(3),
      widgets: [
        [
          new GraphWidget({
            title: 'Cache: hits and misses',
            width: 12,
            left: ofEachNode('CacheHits', 'hits'),
            right: ofEachNode('CacheMisses', 'misses'),
          }),
          new GraphWidget({ title: 'API: latency, ms', width: 12, left: [latency('p50'), latency('p95')] }),
        ],
        [
          new GraphWidget({
            title: 'API: requests and errors',
            width: 24,
            left: [api.metricCount({ statistic: 'Sum', period: PERIOD, label: 'requests' })],
            right: [
              api.metricServerError({ statistic: 'Sum', period: PERIOD, label: '5xx' }),
              api.metricClientError({ statistic: 'Sum', period: PERIOD, label: '4xx' }),
            ],
          }),
        ],
      ],
    });
  }
}
