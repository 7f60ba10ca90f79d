import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { asking } from './errors.ts';
import { stackPrefixOf } from './stacks.ts';

/** The alarms of a stage that are red now, by their names. @throws AwsError. */
export async function redAlarmsOf(stage: string): Promise<string[]> {
  const client = new CloudWatchClient({});
  // CloudFormation's names for what the stacks leave unnamed begin with that of the stack.
  const prefix = stackPrefixOf(stage);
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page = await asking(`cloudwatch:DescribeAlarms of ${prefix}*`, () =>
      client.send(
        new DescribeAlarmsCommand({
          ...{ AlarmNamePrefix: prefix, StateValue: 'ALARM', AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
          ...(token !== undefined && { NextToken: token }),
        }),
      ),
    );
    for (const { AlarmName } of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])]) {
      if (AlarmName) names.push(AlarmName);
    }
    token = page.NextToken;
  } while (token);
  return names.sort();
}
