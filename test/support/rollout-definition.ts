/** The state machine as it is synthesized, with what CloudFormation would put into it. */

import type { Template } from 'aws-cdk-lib/assertions';
import type { StageConfig } from '../../lib/stages.ts';
import type { Definition } from '../../rehearsal/machine/interpreter.ts';
import { ROLLOUT } from '../infra/support/existing.ts';
import { onlyResource, type StackPart, synthesize } from '../infra/support/synthesis.ts';

export interface SynthesizedRollout {
  readonly definition: Definition;
  readonly templates: Readonly<Record<StackPart, Template>>;
}

export function synthesizeRollout(
  change: (stage: StageConfig) => StageConfig = (stage) => stage,
): SynthesizedRollout {
  const templates = synthesize('dev', { change: (stage) => change({ ...stage, rollout: ROLLOUT }) });
  const [, machine] = onlyResource(templates.operations, 'AWS::StepFunctions::StateMachine');
  return { definition: JSON.parse(resolved(machine.Properties['DefinitionString'])), templates };
}

/** A text with its references: a function as an ARN that ends with its logical id. */
export function resolved(value: unknown): string {
  if (typeof value === 'string') return value;
  const {
    'Fn::Join': join,
    'Fn::GetAtt': attribute,
    'Fn::ImportValue': imported,
    'Fn::GetStackOutput': output,
    Ref,
  } = value as Record<string, unknown>;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(resolved).join(String(join[0]));
  if (Array.isArray(attribute)) return `arn:aws:lambda:eu-central-1:111122223333:function:${attribute[0]}`;
  if (imported !== undefined || output !== undefined) {
    const name = resolvedName(imported ?? output);
    return `arn:aws:lambda:eu-central-1:111122223333:function:${name}`;
  }
  if (Ref === 'AWS::Partition') return 'aws';
  if (typeof Ref === 'string') return `arn:aws:sns:eu-central-1:111122223333:${Ref}`;
  throw new Error(`nothing is known of ${JSON.stringify(value)}`);
}

function resolvedName(value: unknown): string {
  return JSON.stringify(value).replace(/[^A-Za-z0-9]+/g, '-');
}
