import { CfnResource, CustomResourceProviderBase, type IAspect } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { StageLogGroup } from './stage-log-group.ts';
import type { StageConfig } from './stages.ts';

/**
 * Gives the CDK's own helper functions (behind custom resources) a log group of the stack. Left alone, Lambda
 * makes one for each that never expires and that stays behind when the stage is destroyed.
 */
export class ProviderLogs implements IAspect {
  readonly #stage: StageConfig;

  constructor(stage: StageConfig) {
    this.#stage = stage;
  }

  visit(node: IConstruct): void {
    if (!(node instanceof CustomResourceProviderBase) || node.node.tryFindChild('Logs')) return;
    const handler = node.node.findChild('Handler');
    if (!CfnResource.isCfnResource(handler)) return;
    const logGroup = new StageLogGroup(node, 'Logs', this.#stage);
    handler.addPropertyOverride('LoggingConfig.LogGroup', logGroup.logGroupName);
  }
}
