import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { alarmsOf } from '../../lambda/contract/alarms.ts';
import { ALIAS_NAME } from '../../lambda/contract/hooks.ts';
import { alarmOf, constructIdOf, factsOf } from '../alarm.ts';
import type { StageConfig } from '../stages.ts';

interface RollbackAlarmsProps {
  readonly stage: StageConfig;
  readonly fn: LambdaFunction;
}

/** What takes a new version's traffic away again: the registry's alarms that look at that version alone. */
export class RollbackAlarms extends Construct {
  /** At most 10, which is what a deployment group takes. */
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { stage, fn }: RollbackAlarmsProps) {
    super(scope, id);
    const facts = factsOf(stage);
    const { functionName, currentVersion } = fn;
    const version = { functionName, alias: ALIAS_NAME, number: currentVersion.version };
    this.alarms = alarmsOf(facts)
      .filter(([, { rollsBack }]) => rollsBack)
      .map((entry) =>
        alarmOf(this, constructIdOf(entry[0].replace(/^new-version-/, '')), entry, {
          ...{ facts, sources: { stage, version } },
          note: ': CodeDeploy rolls back',
        }),
      );
  }
}
