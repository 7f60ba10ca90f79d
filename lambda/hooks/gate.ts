import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { AWS_METRICS } from '../contract/aws-metrics.ts';
import { ALIAS_NAME } from '../contract/hooks.ts';
import { CACHED_ROUTES, METRICS } from '../contract/metrics.ts';
import { SETTLE_SHARE } from '../contract/rollout.ts';
import { CLIENT_OPTIONS } from '../rollout/aws/client.ts';
import { metric, ownMetric, readByMinute } from '../rollout/aws/metric-data.ts';
import { judgeEarly, type StageFigures } from '../rollout/gates.ts';
import { HookError } from './error.ts';

export interface CanaryOptions {
  readonly functionName: string;
  /** As Lambda numbers it. */
  readonly version: string;
  readonly environment: string;
  /** How long it had its share of the traffic. */
  readonly minutes: number;
}

const MINUTE_MS = 60_000;
/** In which caches recover, at the most: hit rate and latency are of what comes after. */
const RECOVERY_MINUTES = 10;

/**
 * The last word on a canary, by the rule of a rollout's stages (R19): answers and connections of the new version, hit rate and latency of
 * all of the API's once its caches have recovered, stale entries of the auditor's. Too little to judge by is no complaint: of fewer than
 * 1,000 requests the rollback alarms decide alone.
 * @throws HookError with what speaks against the version; the errors of the AWS SDK.
 */
export async function requireGate(canary: CanaryOptions, now: number = Date.now()): Promise<void> {
  const complaints = judgeEarly(await figuresOf(canary, now));
  if (complaints.length === 0) return;
  throw new HookError(
    `hooks: the gate does not hold for the canary of version ${canary.version}: ${complaints.join('; ')}; the version before has its traffic again`,
  );
}

async function figuresOf(
  { functionName, version, environment, minutes }: CanaryOptions,
  now: number,
): Promise<StageFigures> {
  const { namespace, name } = AWS_METRICS.versionInvocations;
  const ofVersion = {
    ...{ FunctionName: functionName, Resource: `${functionName}:${ALIAS_NAME}` },
    ExecutedVersion: version,
  };
  const sum = (each: Parameters<typeof ownMetric>[0]['name'], of: Record<string, string> = {}) =>
    ownMetric({ name: each, stat: 'Sum', environment, of });
  const latency = (route: string, stat: string) =>
    ownMetric({ name: METRICS.requestLatency, stat, environment, of: { route } });
  const queries = {
    requests: metric({ namespace, name, of: ofVersion, stat: 'Sum' }),
    errors: sum(METRICS.serverErrors, { version }),
    connectionFailures: sum(METRICS.redisConnectionFailures, { version }),
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
  const byMinute = await readByMinute(
    new CloudWatchClient(CLIENT_OPTIONS),
    Object.entries(queries).map(([Id, MetricStat]) => ({ Id, MetricStat })),
    { from: now - minutes * MINUTE_MS, to: now },
  );
  const sumOf = (found: readonly ReadonlyMap<string, number>[]) => (id: string) =>
    found.reduce((value, minute) => value + (minute.get(id) ?? 0), 0);
  const total = sumOf([...byMinute.values()]);
  const settledAt =
    now - minutes * MINUTE_MS + Math.min(minutes * SETTLE_SHARE, RECOVERY_MINUTES) * MINUTE_MS;
  const settled = [...byMinute].flatMap(([at, minute]) => (at >= settledAt ? [minute] : []));
  const later = sumOf(settled);
  const samples = CACHED_ROUTES.reduce((count, route) => count + later(`samples_${route}`), 0);
  // One of all minutes and routes together CloudWatch does not keep.
  const weighed = settled.flatMap((minute) =>
    CACHED_ROUTES.map((route) => (minute.get(`p95_${route}`) ?? 0) * (minute.get(`samples_${route}`) ?? 0)),
  );
  return {
    ...{ requests: total('requests'), errors: total('errors') },
    ...{ hits: later('hits'), reads: later('hits') + later('misses') },
    hitP95Ms: samples === 0 ? undefined : Math.round(weighed.reduce((a, b) => a + b, 0) / samples),
    ...{ connectionFailures: total('connectionFailures'), staleEntries: total('staleEntries') },
  };
}
