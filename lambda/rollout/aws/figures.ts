import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { AWS_METRICS, type AwsMetricKey } from '../../contract/aws-metrics.ts';
import { CACHED_ROUTES, METRICS } from '../../contract/metrics.ts';
import type { Figures, MinuteFigures } from '../watch.ts';
import { CLIENT_OPTIONS } from './client.ts';
import { type MetricStats, metric, ownMetric, readByMinute } from './metric-data.ts';

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
  const api = (key: AwsMetricKey) => {
    const { namespace, name } = AWS_METRICS[key];
    return metric({ namespace, name, of: { ApiId: apiId }, stat: 'Sum' });
  };
  const stats = {
    requests: api('apiRequests'),
    errors: api('apiServerErrors'),
    connectionFailures: ownMetric({ name: METRICS.redisConnectionFailures, stat: 'Sum', environment }),
    ...cacheStats(environment),
  };
  return {
    async minutes({ from, to }) {
      // The minute that the stage began in belongs to what was before it.
      const first = Math.ceil(from / MINUTE_MS) * MINUTE_MS;
      const span = { from: first, to: Math.max(to, first + MINUTE_MS) };
      return (await readByMinute(client, stats, span)).map(minuteOf);
    },
  };
}

/** What a minute has of the cache whichever version answers: hits, misses, stale entries, and the latency of the routes that are cached. */
export function cacheStats(environment: string): MetricStats {
  const sum = (name: Parameters<typeof ownMetric>[0]['name']) =>
    ownMetric({ name, stat: 'Sum', environment });
  const latency = (route: string, stat: string) =>
    ownMetric({ name: METRICS.requestLatency, stat, environment, of: { route } });
  return {
    hits: sum(METRICS.cacheHits),
    misses: sum(METRICS.cacheMisses),
    staleEntries: sum(METRICS.staleEntries),
    ...Object.fromEntries(
      CACHED_ROUTES.flatMap((route) => [
        [`p95_${route}`, latency(route, 'p95')],
        [`samples_${route}`, latency(route, 'SampleCount')],
      ]),
    ),
  };
}

/** The figures of a minute, by the ids of `cacheStats` and the names of what is counted; 0 for what is not there. */
export function minuteOf([at, of]: readonly [at: number, of: ReadonlyMap<string, number>]): MinuteFigures {
  const counted = Object.keys(EMPTY).map((name) => [name, of.get(name) ?? 0]);
  return {
    ...{ ...EMPTY, ...(Object.fromEntries(counted) as Record<Counted, number>), at },
    latencies: CACHED_ROUTES.flatMap((route) => {
      const [p95Ms, samples] = [of.get(`p95_${route}`), of.get(`samples_${route}`)];
      return p95Ms !== undefined && samples !== undefined ? [{ p95Ms, samples }] : [];
    }),
  };
}
