/** A rehearsal, by the documents on the serverless backend's output: their sums, and the alarms that look at them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { METRICS_NAMESPACE } from '../../lambda/contract/metrics.ts';
import { isDocument } from '../../rehearsal/documents.ts';
import { rehearse } from '../../rehearsal/rehearse.ts';
import type { Report } from '../../rehearsal/report.ts';
import { synthesize } from '../infra/support/synthesis.ts';
import { lookedAtBy, statesOf, valuesOf } from '../support/alarm-states.ts';
import { complaintsAbout, type EmfDocument, type Point, pointsOf } from '../support/emf.ts';
import { seriesOf } from '../support/emf-series.ts';
import { freshDatabase, ownWorkspace } from '../support/servers.ts';
import { alarmsIn } from '../support/synthesized-alarms.ts';

const HOURS_MS = 7 * 3_600_000;

let report: Report;
let printed = '';
let documents: EmfDocument[];

beforeAll(async () => {
  const [workspace, { url: DATABASE_URL }] = await Promise.all([ownWorkspace(), freshDatabase()]);
  report = await rehearse(
    { seconds: 5, stages: [50], users: 20, seed: 7, mode: 'coherent' },
    {
      ...{ workspace, signal: new AbortController().signal, live: false },
      environment: { DATABASE_URL, NODE_ENV: 'production' },
      out: { write: (text) => (printed += text) },
    },
  );
  documents = readFileSync(path.join(workspace.folder, 'serverless.log'), 'utf8')
    .split('\n')
    .filter(isDocument)
    .map((line) => JSON.parse(line));
}, 60_000);

describe('the figures at the end of a rehearsal', () => {
  it('are what the router has counted', () => {
    const { recorded, counted } = report.metrics;
    expect(recorded).toEqual(counted);
    expect(counted.requests).toBeGreaterThan(200);
    expect(counted.hits).toBeGreaterThan(100);
    expect(counted.misses).toBeGreaterThan(10);
    expect(report.reasons.filter((reason) => reason.startsWith('the metrics say'))).toEqual([]);
    expect(printed).toContain(`serverless metrics: requests ${counted.requests}, hits ${counted.hits},`);
  });

  it('are in documents that CloudWatch understands', () => {
    expect(documents.length).toBeGreaterThan(2);
    expect(documents.flatMap(complaintsAbout)).toEqual([]);
  });
});

describe('the alarms', () => {
  const alarms = alarmsIn(synthesize('production'));

  /** Which are red at some time from some hours before the rehearsal to some hours after it. */
  const red = (points: readonly Point[]) => {
    const times = points.map(({ at }) => at);
    const span = { from: Math.min(...times) - HOURS_MS, to: Math.max(...times) + HOURS_MS };
    return alarms
      .filter(({ properties }) => {
        const looked = lookedAtBy(properties);
        const series = Object.fromEntries(looked.map((each) => [each.id, seriesOf(points, each, span)]));
        return statesOf(properties, valuesOf(properties, series)).includes('ALARM');
      })
      .map(({ name }) => name);
  };

  it('are all green in a healthy rehearsal', () => {
    const points = documents.flatMap(pointsOf);
    const looked = alarms
      .flatMap(({ properties }) => lookedAtBy(properties))
      .filter(({ namespace }) => namespace === METRICS_NAMESPACE);
    const seen = looked.filter(({ name }) => points.some((point) => point.name === name));
    expect(seen.map(({ name }) => name)).toEqual(expect.arrayContaining(['CacheMisses', 'RedisConnections']));
    expect(red(points)).toEqual([]);
  });

  it('would not be, if it were not healthy', () => {
    const [point, ...points] = documents.flatMap(pointsOf);
    if (!point) throw new Error('the rehearsal has recorded nothing');
    const common = { namespace: METRICS_NAMESPACE, unit: 'Count', at: point.at, values: [6] };
    const bad: Point[] = [
      {
        ...{ ...common, name: 'RedisConnectionFailures' },
        dimensions: { service: 'cutover-api', environment: 'production' },
      },
      {
        ...{ ...common, name: 'StaleEntries' },
        dimensions: { service: 'cutover-auditor', environment: 'production' },
      },
    ];
    expect(red([point, ...points, ...bad]).sort()).toEqual(['redis-connection-failures', 'stale-entries']);
  });
});
