import { describe, expect, it } from '@jest/globals';
import { AWS_METRICS } from '../../../lambda/contract/aws-metrics.ts';
import { METRIC_TYPES, METRICS_NAMESPACE } from '../../../lambda/contract/metrics.ts';
import { existing, ROLLOUT } from '../../infra/support/existing.ts';
import { resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const { operations } = synthesize('production', {
  change: (stage) => ({ ...stage, phase: 'dual', rollout: ROLLOUT }),
});
const elsewhere = synthesize('staging', { change: existing });

interface Widget {
  readonly type: string;
  readonly properties: {
    readonly title?: string;
    readonly markdown?: string;
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

/** The widgets of each dashboard; references are their text. */
function dashboardsOf(template: typeof operations): Record<string, Widget[]> {
  return Object.fromEntries(
    resourcesOf(template, 'AWS::CloudWatch::Dashboard').map(([id, { Properties }]) => {
      const body = Properties['DashboardBody'];
      const parts = (body as { 'Fn::Join': [string, unknown[]] })['Fn::Join']?.[1] ?? [body];
      const text = parts
        .map((part) => (typeof part === 'string' ? part : JSON.stringify(part).replaceAll('"', '')))
        .join('');
      return [id.replace(/[0-9A-F]{8}$/, ''), (JSON.parse(text) as { widgets: Widget[] }).widgets];
    }),
  );
}

interface Drawn {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** The metrics of a widget; expressions have none of their own. */
function metricsOf({ properties: { metrics = [] } }: Widget): Drawn[] {
  return metrics
    .map((metric) => metric.filter((part) => typeof part === 'string'))
    .filter((parts) => parts.length > 0)
    .map(([namespace = '', name = '', ...rest]) => ({
      ...{ namespace, name },
      dimensions: Object.fromEntries(
        Array.from({ length: rest.length / 2 }, (_, index) => [rest[2 * index], rest[2 * index + 1]]),
      ),
    }));
}

const dashboards = dashboardsOf(operations);
const drawn = Object.values(dashboards).flat().flatMap(metricsOf);

describe('the dashboards', () => {
  it('are three: of the cutover, of the cache, of the service', () => {
    expect(Object.keys(dashboards).sort()).toEqual([
      'CacheDashboard',
      'CutoverDashboard',
      'ServiceDashboard',
    ]);
  });

  it('draw metrics of the registries only, by dimensions that they have', () => {
    expect(drawn.length).toBeGreaterThan(50);
    const aws = Object.values(AWS_METRICS).map(({ namespace, name }) => `${namespace} ${name}`);
    for (const { namespace, name, dimensions } of drawn) {
      if (namespace !== METRICS_NAMESPACE) expect(aws).toContain(`${namespace} ${name}`);
      else {
        const type = METRIC_TYPES[name as keyof typeof METRIC_TYPES];
        const { service, environment, ...more } = dimensions;
        expect([name, service, environment]).toEqual([name, type?.service, 'production']);
        expect(type?.sets.map((set) => set.join())).toContain(Object.keys(more).join());
      }
    }
  });

  it.each([
    [
      'CutoverDashboard',
      ['CacheHits', 'CacheMisses', 'FlushedKeys', 'LegacyFallbacks', 'StaleEntries', '5xx', 'Latency'],
    ],
    ['CacheDashboard', ['DatabaseMemoryUsagePercentage', 'Evictions', 'ReplicationLag', 'CPUUtilization']],
    ['ServiceDashboard', ['RequestLatency', 'ServerErrors', 'Throttles', 'DatabaseConnections']],
  ])('%s shows what it is for', (id, names) => {
    expect(dashboards[id]?.flatMap(metricsOf).map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it('show the keys that a flush deleted beside the hit rate that it lowers', () => {
    const widget = dashboards['CutoverDashboard']?.find(({ properties }) =>
      properties.title?.startsWith('Hit rate'),
    );
    const names = widget ? metricsOf(widget).map(({ name }) => name) : [];
    expect(names).toEqual(expect.arrayContaining(['CacheHits', 'FlushedKeys']));
    const namespaces = widget ? metricsOf(widget).map(({ dimensions }) => dimensions['namespace']) : [];
    expect(new Set(namespaces)).toEqual(new Set([undefined, 'legacy', 'cw']));
  });

  it('say how the weights are found, which have no metric, and that the mirror records nothing', () => {
    const text = dashboards['CutoverDashboard']?.find(({ type }) => type === 'text')?.properties.markdown;
    expect(text).toContain(ROLLOUT.hostedZoneId);
    expect(text).toContain('mirror records nothing');
  });

  it('show every node of the cache, and none of one that is not ours', () => {
    const nodesIn = (ofStage: typeof dashboards) =>
      new Set(
        Object.values(ofStage)
          .flat()
          .flatMap(metricsOf)
          .flatMap(({ dimensions }) => dimensions['CacheClusterId']?.match(/-00\d$/)?.[0] ?? []),
      );
    expect(nodesIn(dashboards)).toEqual(new Set(['-001', '-002']));
    const without = dashboardsOf(elsewhere.operations);
    expect(nodesIn(without)).toEqual(new Set());
    expect(without['CacheDashboard']?.find(({ type }) => type === 'text')?.properties.markdown).toContain(
      'owner',
    );
  });
});
