import { describe, expect, it } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const ALARM = 'AWS::CloudWatch::Alarm';
const { service } = synthesize('staging');
const [, alias] = onlyResource(service, 'AWS::Lambda::Alias');

/** Those of the group, in its order. */
function alarmsOf(template: Template): Record<string, unknown>[] {
  const [, group] = onlyResource(template, 'AWS::CodeDeploy::DeploymentGroup');
  const { Enabled, Alarms } = group.Properties['AlarmConfiguration'] as {
    Enabled: boolean;
    Alarms: { Name: { Ref: string } }[];
  };
  expect(Enabled).toBe(true);
  const all = Object.fromEntries(resourcesOf(template, ALARM));
  return Alarms.map(({ Name }) => all[Name.Ref]?.Properties ?? {});
}

const [errors = {}, slowness = {}, redis = {}, silence = {}, ...more] = alarmsOf(service);

const FUNCTION = alias.Properties['FunctionName'];
const VERSION = alias.Properties['FunctionVersion'];
const OF_LAMBDA = [
  { Name: 'ExecutedVersion', Value: VERSION },
  { Name: 'FunctionName', Value: FUNCTION },
  { Name: 'Resource', Value: { 'Fn::Join': ['', [FUNCTION, ':live']] } },
];
const ofService = (name: string) => [
  { Name: 'environment', Value: 'staging' },
  { Name: 'service', Value: name },
  { Name: 'version', Value: VERSION },
];

/** A metric of an expression, as sums of a minute. */
const summed = (id: string, [Namespace, MetricName]: [string, string], Dimensions: unknown) => ({
  Id: id,
  MetricStat: {
    ...{ Metric: { Namespace, MetricName, Dimensions }, Period: 60, Stat: 'Sum' },
    // Ours alone: an alarm of another unit than the recorded one would never see it.
    ...(Namespace === 'Cutover' && { Unit: 'Count' }),
  },
  ReturnData: false,
});
const expression = (Expression: string) => expect.objectContaining({ Expression, ReturnData: true });
const INVOCATIONS = summed('invocations', ['AWS/Lambda', 'Invocations'], OF_LAMBDA);

describe('CodeDeploy goes back', () => {
  it('on these alarms and on no other, of ten that it could take', () => {
    expect(more).toEqual([]);
    expect(resourcesOf(service, ALARM)).toHaveLength(4);
  });

  it('when more than 1 % of the new version’s own requests fail, in two minutes of three', () => {
    expect(errors).toMatchObject({
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      DatapointsToAlarm: 2,
      EvaluationPeriods: 3,
      Metrics: [
        expression('100 * (FILL(errors, 0) + FILL(serverErrors, 0)) / invocations'),
        summed('errors', ['AWS/Lambda', 'Errors'], OF_LAMBDA),
        summed('serverErrors', ['Cutover', 'ServerErrors'], ofService('cutover-api')),
        INVOCATIONS,
      ],
    });
  });

  it('when one in twenty of them takes more than 200 ms, in three minutes of five', () => {
    expect(slowness).toMatchObject({
      ...{ Namespace: 'AWS/Lambda', MetricName: 'Duration', Dimensions: OF_LAMBDA },
      ...{ ExtendedStatistic: 'p95', Period: 60 },
      ...{ Threshold: 200, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching' },
      ...{ DatapointsToAlarm: 3, EvaluationPeriods: 5 },
    });
  });

  it('when more than 5 connections of it to Redis fail in a minute', () => {
    expect(redis).toMatchObject({
      ...{ Namespace: 'Cutover', MetricName: 'RedisConnectionFailures' },
      ...{ Dimensions: ofService('cutover-api'), Statistic: 'Sum', Period: 60 },
      ...{ Threshold: 5, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching' },
      ...{ DatapointsToAlarm: 1, EvaluationPeriods: 1 },
    });
  });

  it('when nobody invokes it for 10 minutes in which somebody has to', () => {
    expect(silence).toMatchObject({
      ...{ Threshold: 0, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching' },
      ...{ DatapointsToAlarm: 10, EvaluationPeriods: 10 },
      Metrics: [
        expression('IF(FILL(expected, 0) > 0 AND FILL(invocations, 0) < 1, 1, 0)'),
        summed('expected', ['Cutover', 'CanaryExpected'], ofService('cutover-pre-traffic')),
        INVOCATIONS,
      ],
    });
  });

  it('for want of traffic only from a canary', () => {
    const metrics = alarmsOf(synthesize('dev').service).map((alarm) => JSON.stringify(alarm));
    expect(metrics).toHaveLength(3);
    expect(metrics.join()).not.toContain('CanaryExpected');
  });

  it('not for a low hit rate, which a flush and a cold canary have', () => {
    expect(JSON.stringify(alarmsOf(service))).not.toMatch(/Cache(Hit|Miss)/);
  });
});
