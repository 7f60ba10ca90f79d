import { CloudWatchClient, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { CLIENT_OPTIONS } from './client.ts';

/** The alarms whose names begin with this and that are red, sorted. @throws the errors of the AWS SDK. */
export async function redAlarms(prefix: string): Promise<string[]> {
  const pages = paginateDescribeAlarms(
    { client: new CloudWatchClient(CLIENT_OPTIONS) },
    { AlarmNamePrefix: prefix, StateValue: 'ALARM', AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
  );
  const names: string[] = [];
  for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages) {
    names.push(...[...MetricAlarms, ...CompositeAlarms].flatMap(({ AlarmName }) => AlarmName ?? []));
  }
  return names.sort();
}
