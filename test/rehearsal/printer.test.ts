import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { FlushProgress } from '../../lambda/flush/flush.ts';
import { createPrinter, type Progress } from '../../rehearsal/printer.ts';
import type { Report, StageReport } from '../../rehearsal/report.ts';

const FLUSH: FlushProgress = { scanned: 999, keys: 999, flushed: 321, preserved: 300, seconds: 0.012 };

const STAGE: StageReport = {
  weightPercent: 25,
  flush: { deleted: 321, preserved: 300, seconds: 0.012 },
  hitRate: { before: 0.911, lowest: 0.231, after: 0.871 },
  recoverySeconds: 3.4,
  p95Ms: { express: 2.51, serverless: 4.52 },
  databaseP95Ms: { before: 1.53, during: 6.54, after: 1.75 },
  gate: 'pass',
  reasons: [],
};

const REPORT: Report = {
  migration: 'v2',
  mode: 'coherent',
  verdict: 'pass',
  reasons: [],
  durationSeconds: 40,
  seed: 17,
  users: 100,
  totals: {
    requests: 24_001,
    errors5xx: 0,
    staleReads: 0,
    boundedStaleReads: 0,
    longestStaleSeconds: 0,
    crossBackendReads: 1902,
    writes: 1203,
    logins: 121,
    logouts: 22,
    checkedSessions: 523,
    lostSessions: 4,
    resurrectedSessions: 5,
  },
  staleByBackend: { express: 0, serverless: 0 },
  staleReads: [],
  preserved: { checked: 1200, lost: 0 },
  refusals: [],
  metrics: {
    recorded: { requests: 9000, hits: 8001, misses: 602, errors5xx: 0 },
    counted: { requests: 9000, hits: 8001, misses: 602, errors5xx: 0 },
  },
  stages: [STAGE],
  steps: [],
};

const PROGRESS: Progress = {
  begin: performance.now() - 10_000,
  totalSeconds: 41,
  requests: 6005,
  serverlessPercent: 24.6,
  hitRate: 0.876,
  p95Ms: 4.5,
  staleReads: 0,
  errors5xx: 0,
};

function printing(live = false) {
  const chunks: string[] = [];
  const out = { write: (text: string) => chunks.push(text) };
  const text = () => stripVTControlCharacters(chunks.join(''));
  return { printer: createPrinter({ out, live }), text, raw: () => chunks.join(''), chunks };
}

describe('an event', () => {
  test.each([
    [{ kind: 'flushed', weightPercent: 25, report: FLUSH }, ['flush    321 deleted, 300 preserved, 0.012 s']],
    [{ kind: 'stage', weightPercent: 25 }, ['\nstage 25 %\n']],
    [{ kind: 'told', subject: 'Cutover: it went back' }, ['tell     Cutover: it went back']],
    [{ kind: 'weight', from: 5, to: 25 }, ['weight', '5 % -> 25 %']],
    [{ kind: 'rolled back', report: FLUSH }, ['weight 0 %, 321 serverless entries flushed']],
    [
      { kind: 'judged', stage: STAGE, requests: 5001, reads: 402 },
      [
        'gate',
        'pass',
        '5001 requests',
        'hit rate 0.871 over 402 reads',
        'recovered after 3.4 s',
        'p95 of hits 4.52 ms',
      ],
    ],
    [
      {
        kind: 'judged',
        stage: {
          ...STAGE,
          gate: 'fail',
          reasons: ['this', 'that'],
          recoverySeconds: null,
          hitRate: { before: null, lowest: null, after: null },
          p95Ms: { express: null, serverless: null },
        },
        requests: 0,
        reads: 0,
      },
      [
        'gate     fail\n         this\n         that\n',
        'hit rate - over 0 reads',
        'not recovered',
        'p95 of hits - ms',
      ],
    ],
  ] as const)('is told: %j', (event, phrases) => {
    const { printer, text } = printing();
    printer.event(event);
    for (const phrase of phrases) expect(text()).toContain(phrase);
    expect(text().endsWith('\n')).toBe(true);
  });
});

describe('the states of the machine', () => {
  const enter = (type: string, state: string) =>
    ({ kind: 'machine', event: { type: `${type}StateEntered`, at: 0, state } }) as const;

  test('are named once a stage, without choices', () => {
    const { printer, text } = printing();
    for (const event of [
      enter('Task', 'Look'),
      enter('Choice', 'Is it'),
      enter('Wait', 'Wait'),
      enter('Task', 'Look'),
      { kind: 'machine', event: { type: 'TaskFailed', at: 0, state: 'Look' } } as const,
    ])
      printer.event(event);
    expect(text()).toBe('state    Look\nstate    Wait\n');
    printer.event({ kind: 'judged', stage: STAGE, requests: 1, reads: 1 });
    printer.event(enter('Task', 'Look'));
    expect(text().endsWith('state    Look\n')).toBe(true);
  });
});

describe('the progress', () => {
  test('tells time, share, hit rate, latency, requests, stale reads and errors', () => {
    const { printer, text } = printing();
    printer.progress(PROGRESS);
    for (const phrase of [
      '10/41 s',
      'serverless 25 %',
      'hit rate 0.88',
      'p95 4.5 ms',
      '6005 requests',
      '0 stale',
      '0 errors',
      '[###.........]',
    ]) {
      expect(text()).toContain(phrase);
    }
  });

  test('says - where nothing was measured, and never draws beyond its end', () => {
    const { printer, text } = printing();
    printer.progress({
      ...PROGRESS,
      begin: performance.now() - 99_000,
      hitRate: undefined,
      p95Ms: undefined,
      staleReads: 12,
      errors5xx: 3,
    });
    for (const phrase of ['hit rate -', 'p95 - ms', '12 stale', '3 errors', `[${'#'.repeat(12)}] `])
      expect(text()).toContain(phrase);
  });

  test('elsewhere than on a terminal is a line every five seconds', () => {
    const { printer, chunks, raw } = printing();
    for (const seconds of [0, 1, 4.9, 5.1, 6, 10.2]) {
      printer.progress({ ...PROGRESS, begin: performance.now() - seconds * 1000 });
    }
    expect(chunks).toHaveLength(3);
    expect(raw().match(/\n/g)).toHaveLength(3);
    expect(raw()).not.toContain('\r');
  });

  test.each([40, 60, 80, 120])('fits a terminal of %d columns, and keeps the stale reads', (columns) => {
    const chunks: string[] = [];
    const printer = createPrinter({ out: { write: (text) => chunks.push(text) }, live: true, columns });
    printer.progress({ ...PROGRESS, staleReads: 12 });
    const line = stripVTControlCharacters(chunks.join('')).replace('\r', '');
    expect(line.length).toBeLessThan(columns);
    expect(line).toContain('12 stale');
  });

  test('on a terminal is one line that changes, and gives way to others', () => {
    const { printer, chunks } = printing(true);
    printer.progress(PROGRESS);
    printer.progress(PROGRESS);
    printer.line('a line');
    const clear = '\r\u001b[2K';
    expect(chunks.map((chunk) => chunk.startsWith(clear))).toEqual([true, true, true]);
    expect(chunks.map((chunk) => chunk.endsWith('\n'))).toEqual([false, false, true]);
    expect(chunks[2]).toBe(`${clear}a line\n`);
  });
});

test('the report is no wider than a terminal', () => {
  const chunks: string[] = [];
  createPrinter({ out: { write: (text) => chunks.push(text) }, live: false }).report(REPORT);
  for (const line of stripVTControlCharacters(chunks.join('')).split('\n'))
    expect(line.length).toBeLessThan(80);
});

describe('the report', () => {
  const print = (report: Report) => {
    const { printer, text } = printing();
    printer.report(report);
    return text();
  };

  test('has a row for each stage, the figures and the verdict', () => {
    const text = print({ ...REPORT, stages: [STAGE, { ...STAGE, weightPercent: 100 }] });
    for (const phrase of ['25 %', '100 %', '321', '0.91 0.23 0.87', '3.4 s', '2.5 4.5', '1.5 6.5 1.8']) {
      expect(text).toContain(phrase);
    }
    expect(text).toContain('requests 24001, 5xx 0, writes 1203, cross-backend reads 1902');
    expect(text).toContain('stale reads 0 (express 0, serverless 0)\n');
    expect(text).toContain('preserved keys 1200 checked, 0 lost');
    expect(text).toContain('sessions 121 begun, 22 ended, 523 answers checked: 4 lost, 5 back');
    expect(text).toContain('serverless metrics: requests 9000, hits 8001, misses 602, 5xx 0');
    expect(text).toContain('verdict  pass');
  });

  test('of a failure says why, how old the oldest stale read was, and what was within its bound', () => {
    const text = print({
      ...REPORT,
      verdict: 'fail',
      reasons: ['51 stale reads', 'stage 50 %: this'],
      totals: { ...REPORT.totals, staleReads: 51, longestStaleSeconds: 12.3, boundedStaleReads: 4 },
      staleByBackend: { express: 20, serverless: 31 },
    });
    expect(text).toContain(
      'stale reads 51 (express 20, serverless 31)\nthe longest was stale for 12.3 s\n4 old values',
    );
    expect(text).toContain('verdict  fail\n         51 stale reads\n         stage 50 %: this');
  });

  test('without a stage is still one', () => {
    expect(print({ ...REPORT, stages: [], verdict: 'fail', reasons: ['why'] })).toContain(
      'verdict  fail\n         why',
    );
  });
});
