/** The alarms of synthesized templates, by their names in the registry. */
import type { Template } from 'aws-cdk-lib/assertions';
import type { AlarmName } from '../../lambda/contract/alarms.ts';
import { resourcesOf } from '../infra/support/synthesis.ts';
import type { AlarmProperties } from './alarm-states.ts';

export interface SynthesizedAlarm {
  readonly name: AlarmName;
  readonly id: string;
  readonly properties: AlarmProperties;
}

/** @throws for an alarm whose text names no article. */
export function alarmsIn(templates: Readonly<Record<string, Template>>): SynthesizedAlarm[] {
  return Object.values(templates)
    .flatMap((template) => resourcesOf(template, 'AWS::CloudWatch::Alarm'))
    .map(([id, { Properties }]) => {
      const properties = Properties as unknown as AlarmProperties;
      const [, name] = /alarms\.md#([\w-]+)$/.exec(properties.AlarmDescription) ?? [];
      if (!name) throw new Error(`${id} says ${properties.AlarmDescription}, which names no article`);
      return { name: name as AlarmName, id, properties };
    });
}
