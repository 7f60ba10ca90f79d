import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import type { DataStack } from '../data/data-stack.ts';
import type { MetricSources } from '../metrics.ts';
import type { ServiceStack } from '../service/service-stack.ts';
import type { StageConfig } from '../stages.ts';
import { CacheBudget } from './cache-budget.ts';
import { CacheDashboard } from './dashboards/cache.ts';
import { CutoverDashboard } from './dashboards/cutover.ts';
import { ServiceDashboard } from './dashboards/service.ts';
import { RolloutMachine } from './rollout/rollout.ts';
import { StageAlarms } from './stage-alarms.ts';
import { WeightedRecords } from './weighted-records.ts';

interface OperationsStackProps extends CutoverStackProps {
  readonly data: DataStack;
  readonly service: ServiceStack;
}

/** What people look at and who gets the traffic: dashboards, alarms, budget, the topic that tells people, the weighted records and the rollout. */
export class OperationsStack extends CutoverStack {
  constructor(scope: Construct, props: OperationsStackProps) {
    super(scope, 'Operations', props);
    const { stage, data, service } = props;
    const topic = new Topic(this, 'Notifications', {
      displayName: `Cutover, stage ${stage.name}`,
      enforceSSL: true,
    });
    new CacheBudget(this, 'CacheBudget', { stage, topic });
    const sources = sourcesOf(stage, { data, service });
    const cacheNodeIds = data.cache.nodeIds;
    const { healthy } = new StageAlarms(this, 'Alarms', { stage, sources, cacheNodeIds, topic });
    new CutoverDashboard(this, 'CutoverDashboard', { stage, sources, healthy });
    new CacheDashboard(this, 'CacheDashboard', { sources, nodeIds: cacheNodeIds });
    new ServiceDashboard(this, 'ServiceDashboard', { sources });
    if (stage.rollout && service.regionalDomainName) {
      const serverlessTarget = service.regionalDomainName;
      const { rollout } = stage;
      const { platform } = service;
      new WeightedRecords(this, 'WeightedRecords', { platform, rollout, serverlessTarget });
      new RolloutMachine(this, 'Rollout', { stage, rollout, service, serverlessTarget, topic });
    }
  }
}

function sourcesOf(
  stage: StageConfig,
  { data, service }: Pick<OperationsStackProps, 'data' | 'service'>,
): MetricSources {
  return {
    stage,
    apiId: service.api.apiId,
    functions: service.functionNames,
    databaseClusterId: data.database.clusterId,
    queueName: service.deadLetters.queueName,
  };
}
