import { CloudWatchClient, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { AWS_METRICS, type AwsMetricKey } from '../../contract/aws-metrics.ts';
import { type AnyMetricName, CACHED_ROUTES, METRICS } from '../../contract/metrics.ts';
import type { Figures, MinuteFigures } from '../watch.ts';
import { CLIENT_OPTIONS } from './client.ts';
import { metric, ownMetric, readByMinute } from './metric-data.ts';

export interface FiguresOptions {
  /** The HTTP API's. */
  readonly apiId: string;
  /** By convention `NODE_ENV`. */
  readonly environment: string;
}

const MINUTE_MS = 60_000;

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
    ownMetric({ name, stat, environment, of });
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
      // The minute that the stage began in belongs to what was before it.
      const first = Math.ceil(from / MINUTE_MS) * MINUTE_MS;
      const values = await readByMinute(client, queries, {
        from: first,
        to: Math.max(to, first + MINUTE_MS),
      });
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
