import { CloudWatchClient, type MetricDataQuery, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import { AWS_METRICS, type AwsMetricKey } from '../../contract/aws-metrics.ts';
import {
  type AnyMetricName,
  METRIC_TYPES,
  METRICS,
  METRICS_NAMESPACE,
  type MetricRoute,
} from '../../contract/metrics.ts';
import type { Figures, MinuteFigures } from '../watch.ts';
import { CLIENT_OPTIONS } from './client.ts';

export interface FiguresOptions {
  /** The HTTP API's. */
  readonly apiId: string;
  /** By convention `NODE_ENV`. */
  readonly environment: string;
}

/** The routes whose answers are cached. */
const CACHED_ROUTES = ['collections', 'flags'] as const satisfies readonly MetricRoute[];
const MINUTE_SECONDS = 60;
const MINUTE_MS = MINUTE_SECONDS * 1000;

type Counted = Exclude<keyof MinuteFigures, 'at' | 'latencies'>;
const EMPTY = { requests: 0, errors: 0, hits: 0, misses: 0, connectionFailures: 0, staleEntries: 0 };

/**
 * What CloudWatch has of the serverless backend. Requests and errors are those of the API in front of it, which counts what its
 * function never got to answer. @throws on use, the errors of the AWS SDK.
 */
export function awsFigures({ apiId, environment }: FiguresOptions): Figures {
  const client = new CloudWatchClient(CLIENT_OPTIONS);
  const api = (key: AwsMetricKey, stat: string) =>
    metric({
      namespace: AWS_METRICS[key].namespace,
      name: AWS_METRICS[key].name,
      of: { ApiId: apiId },
      stat,
    });
  const own = (name: AnyMetricName, stat: string, of: Readonly<Record<string, string>> = {}) =>
    metric({
      ...{ namespace: METRICS_NAMESPACE, name, stat },
      of: { service: METRIC_TYPES[name].service, environment, ...of },
    });
  const counts: Readonly<Record<Counted, MetricDataQuery['MetricStat']>> = {
    requests: api('apiRequests', 'Sum'),
    errors: api('apiServerErrors', 'Sum'),
    hits: own(METRICS.cacheHits, 'Sum'),
    misses: own(METRICS.cacheMisses, 'Sum'),
    connectionFailures: own(METRICS.redisConnectionFailures, 'Sum'),
    staleEntries: own(METRICS.staleEntries, 'Sum'),
  };
  const latencies = CACHED_ROUTES.flatMap((route) => [
    { Id: `p95_${route}`, MetricStat: own(METRICS.requestLatency, 'p95', { route }) },
    { Id: `samples_${route}`, MetricStat: own(METRICS.requestLatency, 'SampleCount', { route }) },
  ]);
  const queries = [...Object.entries(counts).map(([Id, MetricStat]) => ({ Id, MetricStat })), ...latencies];

  return {
    async minutes({ from, to }) {
      const values = new Map<number, Map<string, number>>();
      const pages = paginateGetMetricData(
        { client },
        {
          MetricDataQueries: queries,
          // The minute that the stage began in belongs to what was before it.
          StartTime: new Date(Math.ceil(from / MINUTE_MS) * MINUTE_MS),
          EndTime: new Date(Math.max(to, Math.ceil(from / MINUTE_MS) * MINUTE_MS + MINUTE_MS)),
          ScanBy: 'TimestampAscending',
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
      return Array.from(values, ([at, of]) => minuteOf(at, of)).sort((one, other) => one.at - other.at);
    },
  };
}

function minuteOf(at: number, of: ReadonlyMap<string, number>): MinuteFigures {
  const counted = Object.keys(EMPTY).map((name) => [name, of.get(name) ?? 0]);
  return {
    ...{ ...EMPTY, ...(Object.fromEntries(counted) as Record<Counted, number>), at },
    latencies: CACHED_ROUTES.flatMap((route) => {
      const [p95Ms, samples] = [of.get(`p95_${route}`), of.get(`samples_${route}`)];
      return p95Ms !== undefined && samples !== undefined ? [{ p95Ms, samples }] : [];
    }),
  };
}

interface MetricOptions {
  readonly namespace: string;
  readonly name: string;
  readonly of: Readonly<Record<string, string>>;
  readonly stat: string;
}

const metric = ({
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
