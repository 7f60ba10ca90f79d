import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { describe, expect, test } from '@jest/globals';
import {
  DIMENSION_VALUES,
  FLUSH_METRICS,
  HOOK_METRICS,
  MAX_SERIES,
  METRIC_TYPES,
  METRICS,
  type MetricType,
  NAMESPACES,
  namespaceOf,
  ROUTES,
  routeOf,
  seriesOf,
} from '../../../lambda/contract/metrics.ts';

const TYPES: Readonly<Record<string, MetricType>> = METRIC_TYPES;
const ROOT = path.resolve(import.meta.dirname, '../../..');

/** What speaks against metrics: each would cost without an end, or never be seen. */
function complaintsAbout(types: Readonly<Record<string, MetricType>>): string[] {
  const units: readonly string[] = Object.values(MetricUnit);
  return Object.entries(types).flatMap(([name, { unit, sets }]) => [
    ...(units.includes(unit) ? [] : [`${name} has the unit ${unit}, which is none of CloudWatch's`]),
    ...(sets.length > 0 ? [] : [`${name} has no set of dimensions`]),
    ...sets
      .flat()
      .filter((dimension) => !(DIMENSION_VALUES[dimension] > 0 && DIMENSION_VALUES[dimension] <= 10))
      .map((dimension) => `${name} has the dimension ${dimension}, whose values nobody has counted`),
  ]);
}

describe('the metrics', () => {
  test('have units of CloudWatch and dimensions with few values', () => {
    expect(complaintsAbout(TYPES)).toEqual([]);
  });

  test('would not be allowed another unit, or a dimension that grows with the users', () => {
    const bad = { unit: 'Parsecs', service: 'cutover-api', sets: [[], ['userId']] } as unknown as MetricType;
    expect(complaintsAbout({ Bad: bad })).toEqual([
      "Bad has the unit Parsecs, which is none of CloudWatch's",
      'Bad has the dimension userId, whose values nobody has counted',
    ]);
  });

  test('are all of them typed, and no others', () => {
    const names = (tree: object): string[] =>
      Object.values(tree).flatMap((each) => (typeof each === 'string' ? [each] : names(each)));
    const all = [METRICS, FLUSH_METRICS, HOOK_METRICS].flatMap(names);
    expect(Object.keys(TYPES).sort()).toEqual(all.sort());
    expect(new Set(all).size).toBe(all.length);
  });

  test('are no more than 40 series a stage, by the hours in which they are written', () => {
    const hoursOfDay = { 'in a canary': 24, 'once a day': 1 };
    const series = Object.values(TYPES).reduce(
      (sum, type) => sum + (seriesOf(type) * (type.written ? hoursOfDay[type.written] : 24)) / 24,
      0,
    );
    expect(series).toBeLessThanOrEqual(MAX_SERIES);
    // docs/operations/cost.md says so, and what it costs.
    const text = readFileSync(path.join(ROOT, 'docs/operations/cost.md'), 'utf8');
    const count = (written: MetricType['written']) =>
      Object.values(TYPES)
        .filter((type) => type.written === written)
        .reduce((sum, type) => sum + seriesOf(type), 0);
    expect(text).toContain(`${count(undefined)} series all the time`);
    expect(text).toContain(`${count('once a day')} once a day`);
  });

  test('by namespace are hits, misses and fallbacks; by route latency and errors; nothing else', () => {
    const by = (dimension: string) =>
      Object.entries(TYPES)
        .filter(([, { sets }]) => sets.some((set) => set.some((each) => each === dimension)))
        .map(([name]) => name);
    expect(by('namespace')).toEqual(['CacheHits', 'CacheMisses', 'LegacyFallbacks']);
    expect(by('route')).toEqual(['RequestLatency', 'ServerErrors']);
  });
});

describe('a dimension', () => {
  test('has the namespace of each phase, whatever the environment is called', () => {
    const phases = ['legacy', 'isolated', 'dual', 'prefixed'] as const;
    expect(phases.map(namespaceOf)).toEqual(['legacy', 'v2', 'cw', 'cw']);
    expect(new Set(phases.map(namespaceOf))).toEqual(new Set(NAMESPACES));
  });

  test.each([
    ['/api/users/123/mocs', 'collections'],
    ['/api/users/a%20b/gallery/item', 'collections'],
    ['/api/config/flags', 'flags'],
    ['/api/config/flags/new-header', 'flags'],
    ['/api/admin/flags/new-header', 'flags'],
    ['/api/sessions/login', 'classroom'],
    ['/api/classroom/join', 'classroom'],
    ['/api/nothing', 'other'],
    ['/../api/users', 'other'],
  ])('has for %s the route %s, and nothing of what it names', (route, name) => {
    expect(routeOf(route)).toBe(name);
  });

  test('has a route for each that the API has', () => {
    const wired = readFileSync(path.join(ROOT, 'lambda/http/wire.ts'), 'utf8');
    const prefixes = [...wired.matchAll(/'(\/api\/[^']+)':/g)].map(([, prefix = '']) => prefix);
    expect(prefixes.length).toBeGreaterThan(2);
    const classroom = readdirSync(path.join(ROOT, 'lambda/classroom')).flatMap((file) => [
      ...readFileSync(path.join(ROOT, 'lambda/classroom', file), 'utf8').matchAll(/'(\/api\/[^']+)':/g),
    ]);
    for (const prefix of [...prefixes, ...classroom.map(([, each = '']) => each)]) {
      expect([prefix, routeOf(`${prefix}/x`)]).toEqual([prefix, expect.not.stringContaining('other')]);
    }
    expect(ROUTES).toHaveLength(DIMENSION_VALUES.route);
  });
});
