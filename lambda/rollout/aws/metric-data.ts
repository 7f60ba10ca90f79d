import {
  type CloudWatchClient,
  type MetricDataQuery,
  paginateGetMetricData,
} from '@aws-sdk/client-cloudwatch';
import { type AnyMetricName, METRIC_TYPES, METRICS_NAMESPACE } from '../../contract/metrics.ts';

const MINUTE_SECONDS = 60;

export interface MetricOptions {
  readonly namespace: string;
  readonly name: string;
  readonly of: Readonly<Record<string, string>>;
  /** Such as `Sum` or `p95`. */
  readonly stat: string;
}

/** A statistic of a metric, minute by minute. */
export const metric = ({
  namespace,
  name,
  of,
  stat,
}: MetricOptions): NonNullable<MetricDataQuery['MetricStat']> => ({
  Metric: {
    ...{ Namespace: namespace, MetricName: name },
    Dimensions: Object.entries(of).map(([Name, Value]) => ({ Name, Value })),
  },
  ...{ Period: MINUTE_SECONDS, Stat: stat },
});

export interface OwnMetricOptions {
  readonly name: AnyMetricName;
  readonly stat: string;
  readonly environment: string;
  /** More dimensions than service and environment. */
  readonly of?: Readonly<Record<string, string>>;
}

/** The same of a metric that this repository records. */
export const ownMetric = ({ name, stat, environment, of }: OwnMetricOptions) =>
  metric({
    ...{ namespace: METRICS_NAMESPACE, name, stat },
    of: { service: METRIC_TYPES[name].service, environment, ...of },
  });

/** Statistics by the ids that their answers have. */
export type MetricStats = Readonly<Record<string, NonNullable<MetricDataQuery['MetricStat']>>>;

/**
 * What CloudWatch answers, by the beginning of the minute in milliseconds since 1970, the oldest first, and then by the ids; in one request
 * for each page. @throws the errors of the AWS SDK.
 */
export async function readByMinute(
  client: CloudWatchClient,
  stats: MetricStats,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly (readonly [at: number, of: ReadonlyMap<string, number>])[]> {
  const values = new Map<number, Map<string, number>>();
  const pages = paginateGetMetricData(
    { client },
    {
      MetricDataQueries: Object.entries(stats).map(([Id, MetricStat]) => ({ Id, MetricStat })),
      ...{ StartTime: new Date(from), EndTime: new Date(to), ScanBy: 'TimestampAscending' },
    },
  );
  for await (const { MetricDataResults: results = [] } of pages) {
    for (const { Id = '', Timestamps: times = [], Values: numbers = [] } of results) {
      for (const [index, time] of times.entries()) {
        const minute = values.get(time.getTime()) ?? new Map<string, number>();
        values.set(time.getTime(), minute.set(Id, numbers[index] ?? 0));
      }
    }
  }
  return [...values].sort(([one], [other]) => one - other);
}
