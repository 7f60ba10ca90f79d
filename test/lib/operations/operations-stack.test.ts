import { describe, expect, it } from '@jest/globals';
import { onlyResource, synthesize } from '../../infra/support/synthesis.ts';

const { operations } = synthesize('production');

describe('the budget', () => {
  it('is 50 dollars a month for ElastiCache', () => {
    operations.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: {
        BudgetType: 'COST',
        TimeUnit: 'MONTHLY',
        BudgetLimit: { Amount: 50, Unit: 'USD' },
        CostFilters: { Service: ['Amazon ElastiCache'] },
      },
    });
  });

  it('tells the topic, which admits it', () => {
    const [topicId] = onlyResource(operations, 'AWS::SNS::Topic');
    const [, budget] = onlyResource(operations, 'AWS::Budgets::Budget');
    const [policyId, policy] = onlyResource(operations, 'AWS::SNS::TopicPolicy');
    const notifications = budget.Properties['NotificationsWithSubscribers'] as { Subscribers: unknown[] }[];
    const subscriber = { SubscriptionType: 'SNS', Address: { Ref: topicId } };
    expect(notifications.map(({ Subscribers }) => Subscribers)).toEqual([[subscriber], [subscriber]]);
    expect(JSON.stringify(policy.Properties)).toContain('budgets.amazonaws.com');
    expect(budget.DependsOn).toContain(policyId);
  });
});
