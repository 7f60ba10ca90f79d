import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { METRIC_TYPES, seriesOf } from '../../../lambda/contract/metrics.ts';
import { STAGE_NAMES } from '../../../lib/stages.ts';
import { resourcesOf, STACK_PARTS, synthesize } from '../../infra/support/synthesis.ts';
import { lookedAtBy } from '../../support/alarm-states.ts';
import { alarmsIn } from '../../support/synthesized-alarms.ts';

const text = readFileSync(path.resolve(import.meta.dirname, '../../../docs/operations/cost.md'), 'utf8');

/** The cells of a row of the first table, from the stages' columns. */
function rowOf(resource: string): number[] {
  const line = text.split('\n').find((each) => each.startsWith(`| ${resource}`)) ?? '';
  return line
    .split('|')
    .slice(3, 6)
    .map((cell) => Number(cell.replaceAll('*', '').trim()));
}

const HOURS = 730;
const round = (dollars: number) => Math.round(dollars * 100) / 100;

const stages = STAGE_NAMES.map((name) => {
  const templates = synthesize(name);
  const count = (type: string) =>
    STACK_PARTS.reduce((sum, part) => sum + resourcesOf(templates[part], type).length, 0);
  const [, cache] = resourcesOf(templates.data, 'AWS::ElastiCache::ReplicationGroup')[0] ?? [];
  const [, cluster] = resourcesOf(templates.data, 'AWS::RDS::DBCluster')[0] ?? [];
  const scaling = cluster?.Properties['ServerlessV2ScalingConfiguration'] as { MinCapacity: number };
  return {
    nodes: Number(cache?.Properties['NumCacheClusters']),
    nodeType: cache?.Properties['CacheNodeType'],
    units: scaling.MinCapacity * count('AWS::RDS::DBInstance'),
    alarmMetrics: alarmsIn(templates).flatMap(({ properties }) => lookedAtBy(properties)).length,
    composites: count('AWS::CloudWatch::CompositeAlarm'),
    dashboards: count('AWS::CloudWatch::Dashboard'),
    secrets: count('AWS::SecretsManager::Secret'),
  };
});

describe('what a stage costs, as the document says it', () => {
  it('is by the templates: nodes, capacity, alarms, dashboards, secrets', () => {
    expect(stages.map(({ nodeType }) => nodeType)).toEqual(Array(3).fill('cache.t3.micro'));
    expect(rowOf('ElastiCache')).toEqual(stages.map(({ nodes }) => round(nodes * 0.017 * HOURS)));
    expect(rowOf('Aurora Serverless')).toEqual(stages.map(({ units }) => round(units * 0.12 * HOURS)));
    expect(rowOf('alarms')).toEqual(stages.map(({ alarmMetrics }) => round(alarmMetrics * 0.1)));
    expect(rowOf('the composite')).toEqual(stages.map(({ composites }) => composites * 0.5));
    expect(rowOf('dashboards')).toEqual(stages.map(({ dashboards }) => dashboards * 3));
    expect(rowOf('secrets')).toEqual(stages.map(({ secrets }) => round(secrets * 0.4)));
  });

  it('is by the contract: the series, by the hours in which they are written', () => {
    const series = Object.values(METRIC_TYPES)
      .filter(({ written }) => written !== 'in a canary')
      .reduce((sum, type) => sum + seriesOf(type) / (type.written === 'once a day' ? 24 : 1), 0);
    expect(rowOf('metrics of our own')).toEqual(Array(3).fill(round(series * 0.3)));
  });

  it('adds up', () => {
    const table = text.slice(text.indexOf('| ElastiCache'), text.indexOf('| **together**'));
    const rows = table
      .trim()
      .split('\n')
      .map((line) => rowOf(line.split('|')[1]?.trim() ?? ''));
    expect(rowOf('**together**')).toEqual(
      [0, 1, 2].map((stage) => round(rows.reduce((sum, row) => sum + (row[stage] ?? Number.NaN), 0))),
    );
  });
});
