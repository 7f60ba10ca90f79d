import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CACHED_ROUTES, METRICS, namespaceOf, ROUTES } from '../../../lambda/contract/metrics.ts';
import { CLIENT_OPTIONS } from '../../../lambda/rollout/aws/client.ts';
import { ownMetric, readByMinute } from '../../../lambda/rollout/aws/metric-data.ts';
import { asking } from '../errors.ts';

/** What CloudWatch has of a minute of the serverless backend. */
export interface StageMinute {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  readonly hits: number;
  readonly misses: number;
  readonly fallbacks: number;
  readonly connectionFailures: number;
  /** Those that the auditor found. */
  readonly staleEntries: number;
  /** Of the routes that are cached; null where none was asked. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface StageFiguresOptions {
  /** By convention `NODE_ENV`. */
  readonly environment: string;
  /** Whether reads may fall back to un-prefixed keys: only then somebody counts them. */
  readonly fallsBack: boolean;
}

/** The minutes that have anything, by their time; times in milliseconds since 1970. */
export type ReadMinutes = (span: { readonly from: number; readonly to: number }) => Promise<StageMinute[]>;

/** Reads all figures in one request. @throws on use, AwsError. */
export function stageFigures({ environment, fallsBack }: StageFiguresOptions): ReadMinutes {
  const client = new CloudWatchClient(CLIENT_OPTIONS);
  const sum = (name: Parameters<typeof ownMetric>[0]['name'], of: Record<string, string> = {}) =>
    ownMetric({ name, stat: 'Sum', environment, of });
  const latency = (stat: string, route: string) =>
    ownMetric({ name: METRICS.requestLatency, stat, environment, of: { route } });
  const queries = Object.entries({
    requests: sum(METRICS.requests),
    hits: sum(METRICS.cacheHits),
    misses: sum(METRICS.cacheMisses),
    ...(fallsBack && { fallbacks: sum(METRICS.legacyFallbacks, { namespace: namespaceOf('dual') }) }),
    connectionFailures: sum(METRICS.redisConnectionFailures),
    staleEntries: sum(METRICS.staleEntries),
    ...eachRoute('errors', ROUTES, (route) => sum(METRICS.serverErrors, { route })),
    ...eachRoute('p50', CACHED_ROUTES, (route) => latency('p50', route)),
    ...eachRoute('p95', CACHED_ROUTES, (route) => latency('p95', route)),
    ...eachRoute('samples', CACHED_ROUTES, (route) => latency('SampleCount', route)),
  }).map(([Id, MetricStat]) => ({ Id, MetricStat }));
  return (span) =>
    asking('cloudwatch:GetMetricData', async () => {
      const values = await readByMinute(client, queries, span);
      return Array.from(values, ([at, of]) => minuteOf(at, of)).sort((one, other) => one.at - other.at);
    });
}

function eachRoute<T>(
  name: string,
  routes: readonly string[],
  make: (route: string) => T,
): Record<string, T> {
  return Object.fromEntries(routes.map((route) => [`${name}_${route}`, make(route)]));
}

function minuteOf(at: number, of: ReadonlyMap<string, number>): StageMinute {
  const count = (name: string) => of.get(name) ?? 0;
  const percentile = (name: 'p50' | 'p95') => {
    const samples = CACHED_ROUTES.reduce((total, route) => total + count(`samples_${route}`), 0);
    if (samples === 0) return null;
    // One of all routes together CloudWatch does not keep.
    const weighed = CACHED_ROUTES.map((route) => count(`${name}_${route}`) * count(`samples_${route}`));
    return Math.round(weighed.reduce((total, each) => total + each, 0) / samples);
  };
  return {
    at,
    requests: count('requests'),
    errors: ROUTES.reduce((total, route) => total + count(`errors_${route}`), 0),
    hits: count('hits'),
    misses: count('misses'),
    fallbacks: count('fallbacks'),
    connectionFailures: count('connectionFailures'),
    staleEntries: count('staleEntries'),
    ...{ p50Ms: percentile('p50'), p95Ms: percentile('p95') },
  };
}
