import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import type { DataStack } from '../data/data-stack.ts';
import type { ServiceStack } from '../service/service-stack.ts';
import { CacheBudget } from './cache-budget.ts';
import { CutoverDashboard } from './cutover-dashboard.ts';
import { WeightedRecords } from './weighted-records.ts';

interface OperationsStackProps extends CutoverStackProps {
  readonly data: DataStack;
  readonly service: ServiceStack;
}

/** What people look at and who gets the traffic: dashboard, budget, the topic that tells people, the weighted records. */
export class OperationsStack extends CutoverStack {
  constructor(scope: Construct, props: OperationsStackProps) {
    super(scope, 'Operations', props);
    const { stage, data, service } = props;
    const topic = new Topic(this, 'Notifications', {
      displayName: `Cutover, stage ${stage.name}`,
      enforceSSL: true,
    });
    new CacheBudget(this, 'CacheBudget', { stage, topic });
    new CutoverDashboard(this, 'Dashboard', { cacheNodeIds: data.cache.nodeIds, api: service.api });
    if (stage.rollout && service.regionalDomainName) {
      const serverlessTarget = service.regionalDomainName;
      new WeightedRecords(this, 'WeightedRecords', { rollout: stage.rollout, serverlessTarget });
    }
  }
}
