import { describe, expect, test } from '@jest/globals';
import { createReport, type Report, reasonsAgainst, type StageReport } from '../../rehearsal/report.ts';

const GOOD_STAGE: StageReport = {
  weightPercent: 25,
  flush: { deleted: 321, preserved: 300, seconds: 0.012 },
  hitRate: { before: 0.91, lowest: 0.23, after: 0.87 },
  recoverySeconds: 3.4,
  p95Ms: { express: 2.5, serverless: 4.5 },
  databaseP95Ms: { before: 1.5, during: 6.5, after: 1.75 },
  gate: 'pass',
  reasons: [],
};

const TOTALS: Report['totals'] = {
  requests: 24_000,
  errors5xx: 0,
  staleReads: 0,
  boundedStaleReads: 9,
  longestStaleSeconds: 0,
  crossBackendReads: 100,
  writes: 500,
};

const GOOD = { totals: TOTALS, preserved: { checked: 1200, lost: 0 }, refusals: [], stages: [GOOD_STAGE] };

describe('the verdict', () => {
  test('is a pass with nothing against it; reads within the bound of a pending write are none', () => {
    expect(reasonsAgainst(GOOD)).toEqual([]);
  });

  test.each<[Partial<Report['totals']>, string]>([
    [{ staleReads: 1 }, '1 stale reads'],
    [{ errors5xx: 2 }, '2 answers were 5xx'],
    [{ writes: 499 }, '499 writes are fewer than the 500 that a verdict needs; run longer'],
    [
      { crossBackendReads: 99 },
      '99 cross-backend reads are fewer than the 100 that a verdict needs; run longer',
    ],
  ])('fails for %j', (totals, reason) => {
    expect(reasonsAgainst({ ...GOOD, totals: { ...TOTALS, ...totals } })).toEqual([reason]);
  });

  test('fails for a command that a user may not run', () => {
    const refusals = ['legacy: key v2:mocs:1 (3 times)'];
    expect(reasonsAgainst({ ...GOOD, refusals })).toEqual(['Redis refused legacy: key v2:mocs:1 (3 times)']);
  });

  test('fails for a preserved key that was lost', () => {
    expect(reasonsAgainst({ ...GOOD, preserved: { checked: 1200, lost: 3 } })).toEqual([
      '3 preserved keys were lost',
    ]);
  });

  test('fails for a stage that failed, with its reasons', () => {
    const failed: StageReport = { ...GOOD_STAGE, weightPercent: 50, gate: 'fail', reasons: ['this', 'that'] };
    expect(reasonsAgainst({ ...GOOD, stages: [GOOD_STAGE, failed] })).toEqual(['stage 50 %: this, that']);
  });

  test('says everything that speaks against it', () => {
    const totals = { ...TOTALS, staleReads: 4, errors5xx: 5, writes: 6, crossBackendReads: 7 };
    expect(
      reasonsAgainst({ totals, preserved: { checked: 10, lost: 8 }, refusals: [], stages: [] }),
    ).toHaveLength(5);
  });
});

test('a report has every figure in the place that the contract names', () => {
  const report = createReport({
    options: { mode: 'naive', seed: 17, users: 101 },
    durationSeconds: 41.5,
    requests: 24_001,
    errors5xx: 2,
    staleness: {
      staleReads: 53,
      boundedStaleReads: 4,
      longestStaleSeconds: 5.25,
      crossBackendReads: 1906,
      writes: 1207,
      staleByBackend: { express: 21, serverless: 32 },
    },
    preserved: { checked: 1208, lost: 0 },
    refusals: [],
    stages: [GOOD_STAGE],
  });
  expect(JSON.parse(JSON.stringify(report))).toEqual({
    mode: 'naive',
    verdict: 'fail',
    reasons: ['53 stale reads', '2 answers were 5xx'],
    durationSeconds: 41.5,
    seed: 17,
    users: 101,
    totals: {
      requests: 24_001,
      errors5xx: 2,
      staleReads: 53,
      boundedStaleReads: 4,
      longestStaleSeconds: 5.25,
      crossBackendReads: 1906,
      writes: 1207,
    },
    staleByBackend: { express: 21, serverless: 32 },
    preserved: { checked: 1208, lost: 0 },
    refusals: [],
    stages: [GOOD_STAGE],
  });
});

test('a report without a reason against it is a pass', () => {
  const { crossBackendReads, writes } = TOTALS;
  const { verdict, reasons } = createReport({
    options: { mode: 'coherent', seed: 1, users: 1 },
    durationSeconds: 1,
    requests: 1,
    errors5xx: 0,
    staleness: {
      staleReads: 0,
      boundedStaleReads: 0,
      longestStaleSeconds: 0,
      crossBackendReads,
      writes,
      staleByBackend: { express: 0, serverless: 0 },
    },
    preserved: { checked: 1, lost: 0 },
    refusals: [],
    stages: [GOOD_STAGE],
  });
  expect({ verdict, reasons }).toEqual({ verdict: 'pass', reasons: [] });
});
