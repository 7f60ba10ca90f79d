import { Stack } from 'aws-cdk-lib';
import { type Alarm, AlarmRule, AlarmState, CompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type AlarmDefinition, type AlarmName, alarmsOf } from '../../lambda/contract/alarms.ts';
import { alarmOf, constructIdOf, factsOf } from '../alarm.ts';
import type { MetricSources } from '../metrics.ts';
import type { StageConfig } from '../stages.ts';

interface StageAlarmsProps {
  readonly stage: StageConfig;
  readonly sources: MetricSources;
  /** None of a cache that is not ours. */
  readonly cacheNodeIds: readonly string[];
  /** Told of each that turns red, and green again. */
  readonly topic: ITopic;
}

/**
 * The alarms of a stage, all but those of a new version, which its deployment has; and one that is green while the cutover is healthy:
 * while none of those is red that wake somebody up.
 */
export class StageAlarms extends Construct {
  readonly healthy: CompositeAlarm;
  readonly #props: StageAlarmsProps;

  constructor(scope: Construct, id: string, props: StageAlarmsProps) {
    super(scope, id);
    this.#props = props;
    // The policy that the budget has put in the place of the default one names nobody else.
    props.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [props.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    const entries = alarmsOf(factsOf(props.stage)).filter(([, { rollsBack }]) => !rollsBack);
    const paging = entries.flatMap((entry) => {
      const alarms = this.#alarmsOf(entry);
      return entry[1].severity === 'page' ? alarms : [];
    });
    this.healthy = new CompositeAlarm(this, 'CutoverHealthy', {
      alarmDescription: 'OK while the cutover is healthy: none of its alarms is red that wake somebody up.',
      alarmRule: AlarmRule.anyOf(...paging.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
    });
  }

  /** One, or one for each node. */
  #alarmsOf(entry: readonly [AlarmName, AlarmDefinition]): Alarm[] {
    const { stage, sources, cacheNodeIds, topic } = this.#props;
    const [name, { perNode }] = entry;
    const all = perNode
      ? cacheNodeIds.map((nodeId, index) => ({
          nodeId,
          suffix: String(index + 1),
          note: `, node ${index + 1}`,
        }))
      : [{ suffix: '', note: '' }];
    return all.map(({ suffix, note, ...node }) => {
      const alarm = alarmOf(this, constructIdOf(name) + suffix, entry, {
        ...{ facts: factsOf(stage), note },
        sources: { ...sources, ...node },
      });
      const action = new SnsAction(topic);
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    });
  }
}
