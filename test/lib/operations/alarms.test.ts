/** Each alarm under a simulated series of its own metrics, as CloudWatch evaluates what is synthesized. */
import { describe, expect, it } from '@jest/globals';
import { ALARM_ENTRIES, ALARMS, type AlarmName } from '../../../lambda/contract/alarms.ts';
import type { StageConfig } from '../../../lib/stages.ts';
import { existing } from '../../infra/support/existing.ts';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';
import { lookedAtBy, statesOf, valuesOf } from '../../support/alarm-states.ts';
import { alarmsIn } from '../../support/synthesized-alarms.ts';

const inDual = (stage: StageConfig): StageConfig => ({ ...stage, phase: 'dual' });
const withLargeNodes = (stage: StageConfig): StageConfig => ({
  ...stage,
  cache: { engine: 'valkey', nodeType: 'cache.r7g.xlarge', replicas: 2, multiAz: true },
});

const production = synthesize('production', { change: inDual });
const large = synthesize('production', { change: withLargeNodes });
const dev = synthesize('dev');
const elsewhere = synthesize('staging', { change: existing });

const alarms = { production: alarmsIn(production), large: alarmsIn(large), dev: alarmsIn(dev) };
const all = [...alarms.production, ...alarms.large, ...alarms.dev];

/** One period of an alarm’s metrics: undefined is none. */
type Period = Readonly<Record<string, number | undefined>>;
interface Course {
  readonly good: Period;
  /** At the threshold, which is not above it. */
  readonly edge: Period;
  readonly bad: Period;
}

/** What alarms on several metrics are shown; of one metric its threshold says it. */
const COURSES: Partial<Record<AlarmName, Course>> = {
  'cache-miss-rate': {
    good: { hits: 950, misses: 50 },
    edge: { hits: 80, misses: 20 },
    bad: { hits: 79, misses: 21 },
  },
  'api-latency': {
    good: { latency: 40, requests: 5000 },
    edge: { latency: 200, requests: 50 },
    bad: { latency: 200.5, requests: 50 },
  },
  'api-errors': {
    good: { errors: 0, requests: 5000 },
    edge: { errors: 2, requests: 200 },
    bad: { errors: 2, requests: 199 },
  },
  'legacy-fallbacks': {
    good: { fallbacks: 0, hits: 900, misses: 100 },
    edge: { fallbacks: 1, hits: 60, misses: 40 },
    bad: { fallbacks: 2, hits: 60, misses: 40 },
  },
  'new-version-errors': {
    good: { errors: undefined, serverErrors: undefined, invocations: 100 },
    edge: { errors: 1, serverErrors: undefined, invocations: 100 },
    bad: { errors: 1, serverErrors: 1, invocations: 100 },
  },
  'new-version-silence': {
    good: { expected: 1, invocations: 1 },
    edge: { expected: undefined, invocations: undefined },
    bad: { expected: 1, invocations: undefined },
  },
};

/** What is nothing to worry about at night, where a rate would say it is. */
const QUIET: readonly (readonly [AlarmName, Period])[] = [
  ['cache-miss-rate', { hits: 0, misses: 99 }],
  ['api-latency', { latency: 3000, requests: 49 }],
  ['api-errors', { errors: 1, requests: 1 }],
  ['legacy-fallbacks', { fallbacks: 99, hits: 99, misses: 0 }],
  ['new-version-silence', { expected: undefined, invocations: undefined }],
];

describe.each(all.map((alarm) => [`${alarm.name} (${alarm.id})`, alarm] as const))('%s', (_title, alarm) => {
  const { name, properties } = alarm;
  const { EvaluationPeriods: of, DatapointsToAlarm: bad = of, Threshold: threshold } = properties;
  const ids = lookedAtBy(properties).map(({ id }) => id);
  const course: Course = COURSES[name] ?? {
    good: { metric: 0 },
    edge: { metric: threshold },
    bad: { metric: threshold + 0.5 },
  };
  const lastState = (...periods: readonly Period[]) => {
    const series = Object.fromEntries(ids.map((id) => [id, periods.map((period) => period[id])]));
    return statesOf(properties, valuesOf(properties, series)).at(-1);
  };
  const times = (count: number, period: Period) => Array.from({ length: count }, () => period);

  it('is green while all is well, and at the threshold', () => {
    expect(Object.keys(course.bad).sort()).toEqual([...ids].sort());
    expect(lastState(...times(2 * of, course.good))).toBe('OK');
    expect(lastState(...times(2 * of, course.edge))).toBe('OK');
  });

  it('turns red after as many bad periods as it says, and green again', () => {
    const before = times(2 * of, course.good);
    expect(lastState(...before, ...times(bad - 1, course.bad), course.good)).toBe('OK');
    expect(lastState(...before, ...times(bad, course.bad))).toBe('ALARM');
    expect(lastState(...before, ...times(bad, course.bad), ...times(of, course.good))).toBe('OK');
  });

  it('is green in a quiet night: without data, and with zeros', () => {
    const zeros = Object.fromEntries(ids.map((id) => [id, 0]));
    expect(lastState(...times(2 * of, {}))).toBe('OK');
    expect(lastState(...times(2 * of, zeros))).toBe('OK');
    for (const [, period] of QUIET.filter(([quiet]) => quiet === name)) {
      expect(lastState(...times(2 * of, period))).toBe('OK');
    }
  });
});

describe('the alarms of a stage', () => {
  it('are those of the registry, all of which some stage has', () => {
    expect([...new Set(all.map(({ name }) => name))].sort()).toEqual(Object.keys(ALARMS).sort());
  });

  it('compare what the registry says with the threshold that it says', () => {
    for (const { name, properties } of all) {
      const { threshold, periods, periodSeconds } = ALARM_ENTRIES.find(([each]) => each === name)?.[1] ?? {};
      if (typeof threshold === 'number') expect([name, properties.Threshold]).toEqual([name, threshold]);
      expect(properties).toMatchObject({
        ...{ EvaluationPeriods: periods?.of, DatapointsToAlarm: periods?.bad },
        TreatMissingData: 'notBreaching',
      });
      expect(new Set(lookedAtBy(properties).map((each) => each.periodSeconds))).toEqual(
        new Set([periodSeconds]),
      );
    }
  });

  it.each([
    // 90 % of one of two cores.
    ['cache-cpu', alarms.production, 45],
    ['cache-engine-cpu', alarms.large, 90],
    ['cache-memory-bytes', alarms.large, 786_432_000],
    // Four fifths of 8 units of 189, and of 2.
    ['database-connections', alarms.production, 1209],
    ['database-connections', alarms.dev, 302],
  ])('%s has the threshold of what it watches', (name, ofStage, threshold) => {
    const own = ofStage.filter((alarm) => alarm.name === name);
    expect(own.length).toBeGreaterThan(0);
    for (const { properties } of own) expect(properties.Threshold).toBe(threshold);
  });

  it('are of each node of the cache, and of no other', () => {
    const nodes = (ofStage: typeof all, name: string) =>
      ofStage
        .filter((alarm) => alarm.name === name)
        .map(({ properties }) => JSON.stringify(properties.Dimensions).match(/-00\d/)?.[0]);
    expect(nodes(alarms.production, 'cache-memory')).toEqual(['-001', '-002']);
    expect(nodes(alarms.large, 'cache-memory')).toEqual(['-001', '-002', '-003']);
    expect(nodes(alarms.dev, 'cache-memory')).toEqual(['-001']);
  });

  it('leave out what a stage has not: no replica, no dispatcher, no canary, no nodes of its own', () => {
    const names = (ofStage: typeof all) => new Set(ofStage.map(({ name }) => name));
    const [inDev, inProduction] = [names(alarms.dev), names(alarms.production)];
    expect([...inProduction].filter((name) => !inDev.has(name)).sort()).toEqual([
      ...['auditor-errors', 'cache-replication-lag', 'dispatcher-errors', 'legacy-fallbacks'],
      ...['new-version-silence', 'outbox-age', 'uncovered-writers'],
    ]);
    const namesElsewhere = [...names(alarmsIn(elsewhere))];
    expect(
      namesElsewhere.filter((name) => ALARM_ENTRIES.find(([each]) => each === name)?.[1].perNode),
    ).toEqual([]);
    expect(namesElsewhere).not.toContain('database-connections');
  });

  it('tell the topic that they are red, and green again; it lets CloudWatch', () => {
    const [topicId] = onlyResource(production.operations, 'AWS::SNS::Topic');
    for (const [, { Properties }] of resourcesOf(production.operations, 'AWS::CloudWatch::Alarm')) {
      expect(Properties).toMatchObject({ AlarmActions: [{ Ref: topicId }], OKActions: [{ Ref: topicId }] });
    }
    const [, policy] = onlyResource(production.operations, 'AWS::SNS::TopicPolicy');
    expect(JSON.stringify(policy.Properties)).toContain('cloudwatch.amazonaws.com');
  });

  it('of a new version are those that its deployment goes back on, and no others', () => {
    const inService = alarmsIn({ service: production.service }).map(({ name }) => name);
    const rollsBack = ALARM_ENTRIES.filter(([, each]) => each.rollsBack).map(([name]) => name);
    expect(inService.sort()).toEqual(rollsBack.sort());
  });
});

describe('the cutover is healthy', () => {
  it('while none of those is red that wake somebody up', () => {
    const [, { Properties }] = onlyResource(production.operations, 'AWS::CloudWatch::CompositeAlarm');
    const rule = JSON.stringify(Properties['AlarmRule']);
    const expected = alarmsIn({ operations: production.operations }).filter(
      ({ name }) => ALARM_ENTRIES.find(([each]) => each === name)?.[1].severity === 'page',
    );
    expect(expected.length).toBeGreaterThan(10);
    const named = [...rule.matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g)].map(([, id]) => id);
    expect(named.sort()).toEqual(expected.map(({ id }) => id).sort());
    expect(rule.match(/ALARM\(/g)).toHaveLength(expected.length);
    expect(rule).not.toMatch(/ AND |NOT /);
  });
});
