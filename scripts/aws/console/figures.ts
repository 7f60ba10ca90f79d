import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CACHED_ROUTES, METRICS, namespaceOf, ROUTES } from '../../../lambda/contract/metrics.ts';
import { CLIENT_OPTIONS } from '../../../lambda/rollout/aws/client.ts';
import { cacheStats, minuteOf } from '../../../lambda/rollout/aws/figures.ts';
import { type MetricStats, ownMetric, readByMinute } from '../../../lambda/rollout/aws/metric-data.ts';
import { type MinuteFigures, weightedMean } from '../../../lambda/rollout/watch.ts';
import { asking } from '../errors.ts';

/** What CloudWatch has of a minute of the serverless backend: what is judged, and what is shown. */
export interface StageMinute extends MinuteFigures {
  readonly fallbacks: number;
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
  const stats: MetricStats = {
    requests: sum(METRICS.requests),
    ...(fallsBack && { fallbacks: sum(METRICS.legacyFallbacks, { namespace: namespaceOf('dual') }) }),
    connectionFailures: sum(METRICS.redisConnectionFailures),
    ...Object.fromEntries(ROUTES.map((route) => [`errors_${route}`, sum(METRICS.serverErrors, { route })])),
    ...Object.fromEntries(
      CACHED_ROUTES.map((route) => [
        `p50_${route}`,
        ownMetric({ name: METRICS.requestLatency, stat: 'p50', environment, of: { route } }),
      ]),
    ),
    ...cacheStats(environment),
  };
  return (span) =>
    asking('cloudwatch:GetMetricData', async () =>
      (await readByMinute(client, stats, span)).map(stageMinuteOf),
    );
}

function stageMinuteOf([at, of]: readonly [at: number, of: ReadonlyMap<string, number>]): StageMinute {
  const count = (name: string) => of.get(name) ?? 0;
  const percentile = (name: 'p50' | 'p95') =>
    weightedMean(CACHED_ROUTES.map((route) => [count(`${name}_${route}`), count(`samples_${route}`)])) ??
    null;
  return {
    ...minuteOf([at, of]),
    errors: ROUTES.reduce((total, route) => total + count(`errors_${route}`), 0),
    fallbacks: count('fallbacks'),
    ...{ p50Ms: percentile('p50'), p95Ms: percentile('p95') },
  };
}
