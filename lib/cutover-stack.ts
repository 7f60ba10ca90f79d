import { AspectPriority, Aspects, type Environment, Fn, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ProviderLogs } from './provider-logs.ts';
import type { StageConfig } from './stages.ts';

/** What every stack of a stage takes. */
export interface CutoverStackProps {
  readonly stage: StageConfig;
  /** Account and region; without them the templates fit every account and region. */
  readonly env?: Environment;
}

/** A stack of a stage, named `Cutover-Dev-Network`. */
export abstract class CutoverStack extends Stack {
  protected constructor(scope: Construct, part: string, { stage, env }: CutoverStackProps) {
    super(scope, `Cutover-${capitalised(stage.name)}-${part}`, {
      env,
      description: `Cutover, stage ${stage.name}: ${part.toLowerCase()}`,
      tags: { application: 'cutover', stage: stage.name },
      terminationProtection: stage.keepsData,
    });
    Aspects.of(this).add(new ProviderLogs(stage), { priority: AspectPriority.MUTATING });
  }

  /**
   * Two zones, by their position in the region: with a concrete account and region the CDK would look the
   * zones up, which needs credentials and makes the templates depend on who synthesizes them.
   */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()));
  }
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
