import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { HOOK_METRICS, METRICS_NAMESPACE, type VersionDimensions } from '../contract/metrics.ts';

const CONNECT_TIMEOUT_MS = 2000;
const REQUEST_TIMEOUT_MS = 5000;
const MINUTE_MS = 60_000;
/**
 * CloudWatch takes what is up to two hours ahead (API reference of PutMetricData, MetricDatum.Timestamp; the same in that of the
 * embedded metric format).
 */
const MAX_MINUTES_AHEAD = 119;

/** The minutes of a canary that begins now, from the present one on, as far ahead as CloudWatch takes them. */
export function minutesOf(canaryMinutes: number, now: number = Date.now()): Date[] {
  const first = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const length = Math.min(canaryMinutes, MAX_MINUTES_AHEAD);
  return Array.from({ length }, (_, minute) => new Date(first + minute * MINUTE_MS));
}

/**
 * Says ahead of time that the version gets traffic in these minutes: an alarm that knows when a canary is under way can tell a version
 * that nobody reaches from one that is not deployed yet. A deployment does not notice an alarm that was red before it.
 * @throws the errors of the AWS SDK.
 */
export async function expectTraffic(minutes: readonly Date[], version: VersionDimensions): Promise<void> {
  if (minutes.length === 0) return;
  const client = new CloudWatchClient({
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  const Dimensions = Object.entries(version).map(([Name, Value]) => ({ Name, Value }));
  await client.send(
    new PutMetricDataCommand({
      Namespace: METRICS_NAMESPACE,
      MetricData: minutes.map((Timestamp) => ({
        ...{ MetricName: HOOK_METRICS.canaryExpected, Dimensions, Timestamp },
        ...{ Unit: 'Count', Value: 1 },
      })),
    }),
  );
}
