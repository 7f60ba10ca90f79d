import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { AWS_METRICS } from '../contract/aws-metrics.ts';
import { ALIAS_NAME } from '../contract/hooks.ts';
import { METRICS } from '../contract/metrics.ts';
import { CLIENT_OPTIONS } from '../rollout/aws/client.ts';
import { cacheStats, minuteOf } from '../rollout/aws/figures.ts';
import { type MetricStats, metric, ownMetric, readByMinute } from '../rollout/aws/metric-data.ts';
import { judgeEarly } from '../rollout/gates.ts';
import { figuresOf, settleMs } from '../rollout/watch.ts';
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

/**
 * The last word on a canary, by the rule of a rollout's stages (R19): answers and connections of the new version, hit rate and latency of
 * all of the API's once its caches have recovered, stale entries of the auditor's. Too little to judge by is no complaint: of fewer than
 * 1,000 requests the rollback alarms decide alone.
 * @throws HookError with what speaks against the version; the errors of the AWS SDK.
 */
export async function requireGate(canary: CanaryOptions, now: number = Date.now()): Promise<void> {
  const { version, environment, minutes } = canary;
  const from = now - minutes * MINUTE_MS;
  const stats = { ...versionStats(canary), ...cacheStats(environment) };
  const client = new CloudWatchClient(CLIENT_OPTIONS);
  const all = (await readByMinute(client, stats, { from, to: now })).map(minuteOf);
  const settled = all.filter(({ at }) => at >= from + settleMs(minutes));
  const complaints = judgeEarly(figuresOf(all, settled));
  if (complaints.length === 0) return;
  throw new HookError(
    `hooks: the gate does not hold for the canary of version ${version}: ${complaints.join('; ')}; the version before has its traffic again`,
  );
}

function versionStats({ functionName, version, environment }: CanaryOptions): MetricStats {
  const { namespace, name } = AWS_METRICS.versionInvocations;
  const of = {
    ...{ FunctionName: functionName, Resource: `${functionName}:${ALIAS_NAME}` },
    ExecutedVersion: version,
  };
  const own = { stat: 'Sum', environment, of: { version } };
  return {
    requests: metric({ namespace, name, of, stat: 'Sum' }),
    errors: ownMetric({ ...own, name: METRICS.serverErrors }),
    connectionFailures: ownMetric({ ...own, name: METRICS.redisConnectionFailures }),
  };
}
