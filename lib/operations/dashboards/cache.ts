import { Duration } from 'aws-cdk-lib';
import { Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { AwsMetricKey } from '../../../lambda/contract/aws-metrics.ts';
import type { MetricSources } from '../../metrics.ts';
import { graph, words } from './widgets.ts';

export interface CacheDashboardProps {
  readonly sources: MetricSources;
  readonly nodeIds: readonly string[];
}

const GRAPHS: readonly (readonly [title: string, metric: AwsMetricKey, unit?: 'percent'])[] = [
  ['Memory', 'nodeMemory', 'percent'],
  ['Memory, bytes', 'nodeMemoryBytes'],
  ['CPU of the host', 'nodeCpu', 'percent'],
  ['CPU of the engine', 'nodeEngineCpu', 'percent'],
  ['Connections', 'nodeConnections'],
  ['Evictions', 'nodeEvictions'],
  ['Replication lag, seconds', 'nodeReplicationLag'],
  ['Swap, bytes', 'nodeSwap'],
];

/** The nodes of the cache, and what its users have of them. */
export class CacheDashboard extends Dashboard {
  constructor(scope: Construct, id: string, { sources, nodeIds }: CacheDashboardProps) {
    const ofNodes = ([title, aws, unit]: (typeof GRAPHS)[number]) =>
      graph({
        ...{ title, sources, ...(unit && { unit }) },
        lines: nodeIds.map((nodeId, index) => ({
          label: `node ${index + 1}`,
          sources: { nodeId },
          metric: { aws, statistic: aws === 'nodeEvictions' ? 'Sum' : 'Maximum' },
        })),
      });
    const nodes = nodeIds.length === 0 ? [] : GRAPHS.map(ofNodes);
    const rows = Array.from({ length: nodes.length / 2 }, (_, row) => nodes.slice(2 * row, 2 * row + 2));

    super(scope, id, {
      defaultInterval: Duration.hours(12),
      widgets: [
        ...(nodes.length > 0
          ? rows
          : [[words('The nodes of this cache are their owner’s: look at them there.')]]),
        [
          graph({
            ...{ title: 'Reads of the API', sources },
            lines: [
              { label: 'hits', metric: { own: 'CacheHits', statistic: 'Sum' } },
              { label: 'misses', metric: { own: 'CacheMisses', statistic: 'Sum' } },
              { label: 'flags', metric: { own: 'FlagCount', statistic: 'Maximum' }, right: true },
            ],
          }),
          graph({
            ...{ title: 'Flushes', sources },
            lines: [
              { label: 'keys flushed', metric: { own: 'FlushedKeys', statistic: 'Sum' } },
              { label: 'keys a dry run would flush', metric: { own: 'KeysToFlush', statistic: 'Sum' } },
              { label: 'seconds', metric: { own: 'FlushDuration', statistic: 'Maximum' }, right: true },
            ],
          }),
        ],
        [
          graph({
            ...{ title: 'Hit rate around a flush, of the API’s reads', sources, unit: 'percent' },
            lines: [
              { label: 'before', metric: { own: 'CacheHitRateBefore', statistic: 'Average' } },
              { label: 'after', metric: { own: 'CacheHitRateAfter', statistic: 'Average' } },
            ],
          }),
          graph({
            ...{ title: 'Database latency around a flush', sources, unit: 'ms' },
            lines: [
              { label: 'before', metric: { own: 'DatabaseLatencyBefore', statistic: 'Average' } },
              { label: 'during', metric: { own: 'DatabaseLatencyDuring', statistic: 'Average' } },
              { label: 'after', metric: { own: 'DatabaseLatencyAfter', statistic: 'Average' } },
            ],
          }),
        ],
      ],
    });
  }
}
