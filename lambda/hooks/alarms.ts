import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { HookError } from './error.ts';

const CONNECT_TIMEOUT_MS = 2000;
const REQUEST_TIMEOUT_MS = 5000;

/**
 * Makes sure that none of these alarms is red: a deployment notices only one that turns red. An alarm that is told of another version
 * keeps its state until it has looked, within a minute.
 * @throws HookError that names those that are red; the errors of the AWS SDK.
 */
export async function requireQuiet(alarmNames: readonly string[], signal: AbortSignal): Promise<void> {
  const client = new CloudWatchClient({
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  const { MetricAlarms = [] } = await client.send(
    new DescribeAlarmsCommand({ AlarmNames: [...alarmNames], StateValue: 'ALARM' }),
    { abortSignal: signal },
  );
  if (MetricAlarms.length === 0) return;
  const names = MetricAlarms.map(({ AlarmName }) => AlarmName).join(', ');
  throw new HookError(
    `hooks: ${names} is ALARM before the traffic; it must be OK, since a deployment does not notice what was red before it: deploy again when it is`,
  );
}
