import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { PhaseEvent } from '../../rehearsal/phase-conductor.ts';
import { describePhase, stepTable } from '../../rehearsal/phase-printer.ts';
import { STEPS_FORWARD } from '../../rehearsal/phase-steps.ts';
import type { StepReport } from '../../rehearsal/step-report.ts';

const STEP: StepReport = {
  step: 'back to legacy',
  phases: ['dual', 'legacy'],
  together: { seconds: 13.14, requests: 1301 },
  carried: { to: 'legacy', keys: 12_482, again: 3, seconds: 0.25 },
  flush: { deleted: 341, preserved: 1496, seconds: 0.129 },
  requests: 5002,
  errors5xx: 7,
  staleReads: 2,
  lostSessions: 3,
  resurrectedSessions: 4,
  hitRate: { lowest: 0.711, after: 0.912 },
  legacyFallbacks: { reads: 1203, fallbacks: 114 },
  p95Ms: { express: 115.51, serverless: 216.52 },
  databaseP95Ms: 7.5,
  state: { checked: 600, lost: 5 },
  gate: 'pass',
  reasons: [],
};
const EMPTY: StepReport = {
  ...STEP,
  ...{ together: null, carried: null, flush: null, legacyFallbacks: null },
  hitRate: { lowest: null, after: null },
  p95Ms: { express: null, serverless: null },
  gate: 'fail',
  reasons: ['this', 'that'],
};
const [LEGACY] = STEPS_FORWARD;
if (!LEGACY) throw new Error('there is no step');

describe('an event', () => {
  test.each<[PhaseEvent, string[]]>([
    [{ kind: 'step', step: LEGACY }, ['\nstep legacy']],
    [
      { kind: 'carried', carried: { to: 'prefixed', keys: 482, again: 1, seconds: 0.25 } },
      ['backfill to prefixed: 482 keys in 0.25 s, and again 1'],
    ],
    [
      { kind: 'together', from: 'legacy', to: 'dual', seconds: 3.14 },
      ['phases   legacy and dual at once for 3.1 s'],
    ],
    [{ kind: 'shifted', phase: 'dual' }, ['dual everywhere']],
    [
      { kind: 'cleaned', report: { scanned: 9, keys: 9, flushed: 341, preserved: 1496, seconds: 0.129 } },
      ['flush    341 deleted, 1496 preserved, 0.129 s'],
    ],
    [
      { kind: 'step judged', step: STEP },
      [
        'gate     pass\n',
        '5002 requests, 7 errors, hit rate 0.912, p95 of hits 216.52 ms',
        '2 stale, 3 sessions lost, 4 back, 5 of 600 keys of state lost',
        '114 of 1203 reads fell back to an un-prefixed key',
      ],
    ],
    [
      { kind: 'step judged', step: EMPTY },
      ['gate     fail\n         this\n         that\n', 'hit rate -, p95 of hits - ms'],
    ],
  ])('is told: %j', (event, phrases) => {
    const text = stripVTControlCharacters(describePhase(event));
    for (const phrase of phrases) expect(text).toContain(phrase);
  });

  test('of a step outside dual says nothing of fallbacks', () => {
    expect(describePhase({ kind: 'step judged', step: EMPTY })).not.toContain('fell back');
  });
});

describe('the table', () => {
  const lines = stripVTControlCharacters(stepTable([STEP, EMPTY]).join('\n')).split('\n');

  test('has a row for each step', () => {
    const cells = lines.map((line) => line.trim().split(/ {2,}/));
    expect(cells[1]).toEqual([
      ...['back to legacy', '12482', '0.71 0.91', '114 of 1203', '115.5 216.5', '2 3 4 7', 'pass'],
    ]);
    expect(cells[2]).toEqual(['back to legacy', '-', '- -', '-', '- -', '2 3 4 7', 'fail']);
  });

  test('is no wider than a terminal', () => {
    for (const line of lines) expect(line.length).toBeLessThan(80);
  });
});
