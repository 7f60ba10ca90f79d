import { CloudWatchClient, paginateDescribeAlarms, type StateValue } from '@aws-sdk/client-cloudwatch';
import type { AlarmView } from '../../../rehearsal/console/contract.ts';
import { asking } from '../errors.ts';
import { stackPrefixOf } from '../stacks.ts';

const STATES: Readonly<Record<StateValue, AlarmView['state']>> = {
  OK: 'ok',
  ALARM: 'alarm',
  INSUFFICIENT_DATA: 'unknown',
};
const FIRST = ['alarm', 'unknown', 'ok'];

/** The alarms of a stage, the red ones first. @throws AwsError. */
export function alarmsOf(stage: string): Promise<AlarmView[]> {
  const prefix = stackPrefixOf(stage);
  return asking(`cloudwatch:DescribeAlarms of ${prefix}*`, async () => {
    const pages = paginateDescribeAlarms(
      { client: new CloudWatchClient({}) },
      { AlarmNamePrefix: prefix, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
    );
    const found: AlarmView[] = [];
    for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages) {
      for (const { AlarmName = '', StateValue, StateReason = '' } of [...MetricAlarms, ...CompositeAlarms]) {
        const state = (StateValue && STATES[StateValue]) ?? 'unknown';
        found.push({ name: AlarmName.slice(prefix.length), state, reason: StateReason });
      }
    }
    return found.sort(
      (one, other) =>
        FIRST.indexOf(one.state) - FIRST.indexOf(other.state) || one.name.localeCompare(other.name),
    );
  });
}
