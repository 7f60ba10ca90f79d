import { describe, expect, test } from '@jest/globals';
import { createReport, type Report, reasonsAgainst, type StageReport } from '../../rehearsal/report.ts';
import type { StepReport } from '../../rehearsal/step-report.ts';

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

const GOOD_STEP: StepReport = {
  step: 'dual',
  phases: ['legacy', 'dual'],
  together: { seconds: 2.5, requests: 1301 },
  carried: null,
  flush: null,
  requests: 5002,
  errors5xx: 0,
  staleReads: 0,
  lostSessions: 0,
  resurrectedSessions: 0,
  hitRate: { lowest: 0.71, after: 0.91 },
  legacyFallbacks: { reads: 203, fallbacks: 14 },
  p95Ms: { express: 5.5, serverless: 6.5 },
  databaseP95Ms: 7.5,
  state: { checked: 300, lost: 0 },
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
  logins: 120,
  logouts: 20,
  checkedSessions: 50,
  lostSessions: 0,
  resurrectedSessions: 0,
};

const STALE_READS: Report['staleReads'] = [
  {
    at: 1_764_000_000_000,
    key: 'mocs:user:7:list',
    readBy: 'serverless',
    writtenBy: 'legacy',
    versionRead: 3,
    versionWritten: 4,
    ageMs: 52,
  },
];

const METRICS: Report['metrics'] = {
  recorded: { requests: 9000, hits: 8001, misses: 602, errors5xx: 3 },
  counted: { requests: 9000, hits: 8001, misses: 602, errors5xx: 3 },
};

const GOOD = {
  totals: TOTALS,
  preserved: { checked: 1200, lost: 0 },
  refusals: [],
  metrics: METRICS,
  stages: [GOOD_STAGE],
  steps: [],
};

describe('the verdict', () => {
  test('is a pass with nothing against it; reads within the bound of a pending write are none', () => {
    expect(reasonsAgainst(GOOD)).toEqual([]);
  });

  test.each<[Partial<Report['totals']>, string]>([
    [{ staleReads: 1 }, '1 stale reads'],
    [{ lostSessions: 3 }, '3 answers denied a user who was logged in'],
    [{ resurrectedSessions: 4 }, '4 answers were for a session that had ended'],
    [{ errors5xx: 2 }, '2 answers were 5xx'],
    [{ writes: 499 }, '499 writes are fewer than the 500 that a verdict needs; run longer'],
    [
      { crossBackendReads: 99 },
      '99 cross-backend reads are fewer than the 100 that a verdict needs; run longer',
    ],
    [
      { checkedSessions: 49 },
      '49 answers about sessions are fewer than the 50 that a verdict needs; run longer',
    ],
  ])('fails for %j', (totals, reason) => {
    expect(reasonsAgainst({ ...GOOD, totals: { ...TOTALS, ...totals } })).toEqual([reason]);
  });

  test('fails for a command that a user may not run', () => {
    const refusals = ['legacy: key v2:mocs:1 (3 times)'];
    expect(reasonsAgainst({ ...GOOD, refusals })).toEqual(['Redis refused legacy: key v2:mocs:1 (3 times)']);
  });

  test('fails for metrics that say something else than what was answered', () => {
    const { counted } = METRICS;
    const recorded = { requests: 8999, hits: 8002, misses: 602, errors5xx: 2 };
    expect(reasonsAgainst({ ...GOOD, metrics: { recorded, counted } })).toEqual([
      'the metrics say 8999 requests, the router 9000',
      'the metrics say 8002 hits, the router 8001',
      'the metrics say 2 errors5xx, the router 3',
    ]);
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

  test('fails for a step that failed, with its reasons', () => {
    const failed: StepReport = { ...GOOD_STEP, step: 'prefixed', gate: 'fail', reasons: ['this', 'that'] };
    expect(reasonsAgainst({ ...GOOD, steps: [GOOD_STEP, failed] })).toEqual(['step prefixed: this, that']);
  });

  test('says everything that speaks against it', () => {
    const totals = { ...TOTALS, staleReads: 4, errors5xx: 5, writes: 6, crossBackendReads: 7 };
    expect(reasonsAgainst({ ...GOOD, totals, preserved: { checked: 10, lost: 8 }, stages: [] })).toHaveLength(
      5,
    );
  });
});

test('a report has every figure in the place that the contract names', () => {
  const report = createReport({
    options: { migration: 'cw', mode: 'naive', seed: 17, users: 101 },
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
    sessions: {
      ...{ logins: 121, logouts: 22, checkedSessions: 523 },
      ...{ lostSessions: 24, resurrectedSessions: 25 },
    },
    staleReads: STALE_READS,
    preserved: { checked: 1208, lost: 0 },
    refusals: [],
    metrics: METRICS,
    stages: [GOOD_STAGE],
    steps: [GOOD_STEP],
  });
  expect(JSON.parse(JSON.stringify(report))).toEqual({
    migration: 'cw',
    mode: 'naive',
    verdict: 'fail',
    reasons: [
      '53 stale reads',
      '24 answers denied a user who was logged in',
      '25 answers were for a session that had ended',
      '2 answers were 5xx',
    ],
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
      logins: 121,
      logouts: 22,
      checkedSessions: 523,
      lostSessions: 24,
      resurrectedSessions: 25,
    },
    staleByBackend: { express: 21, serverless: 32 },
    staleReads: STALE_READS,
    preserved: { checked: 1208, lost: 0 },
    refusals: [],
    metrics: METRICS,
    stages: [GOOD_STAGE],
    steps: [GOOD_STEP],
  });
});

test('a report without a reason against it is a pass', () => {
  const { crossBackendReads, writes, checkedSessions } = TOTALS;
  const { verdict, reasons, migration } = createReport({
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
    sessions: { logins: 1, logouts: 0, checkedSessions, lostSessions: 0, resurrectedSessions: 0 },
    staleReads: [],
    preserved: { checked: 1, lost: 0 },
    refusals: [],
    metrics: METRICS,
    stages: [GOOD_STAGE],
    steps: [],
  });
  expect({ verdict, reasons, migration }).toEqual({ verdict: 'pass', reasons: [], migration: 'v2' });
});
