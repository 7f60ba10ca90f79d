import { redAlarms } from '../../lambda/rollout/aws/alarms.ts';
import { asking } from './errors.ts';
import { stackPrefixOf } from './stacks.ts';

/** The alarms of a stage that are red now, by their names. @throws AwsError. */
export function redAlarmsOf(stage: string): Promise<string[]> {
  // CloudFormation's names for what the stacks leave unnamed begin with that of the stack.
  const prefix = stackPrefixOf(stage);
  return asking(`cloudwatch:DescribeAlarms of ${prefix}*`, () => redAlarms(prefix));
}
