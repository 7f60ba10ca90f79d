import { describe, expect, test } from '@jest/globals';
import { type SafetyFacts, safetyOf } from '../../../../rehearsal/console/source/safety.ts';

const GOOD: SafetyFacts = {
  status: 'running',
  staleReads: 0,
  lostSessions: 0,
  resurrectedSessions: 0,
  errors5xx: 0,
  failed: undefined,
  back: undefined,
  isMirrorOff: false,
  fault: undefined,
  current: { name: '25 %', leftSeconds: 12 },
  verdict: undefined,
};
const FAILED = { name: '25 %', reasons: ['hit rate 0.41 is not above 0.8', 'errors 2 %'] };
const FAILED_TEXT = '25 % has failed: hit rate 0.41 is not above 0.8, errors 2 %';
const FAULT = 'Redis is frozen on purpose, 2 s left';

type Row = [what: string, facts: Partial<SafetyFacts>, text: string];

const given = (facts: Partial<SafetyFacts>) => safetyOf({ ...GOOD, ...facts });

describe('it is safe', () => {
  test.each<Row>([
    ['at the end', { status: 'passed', current: undefined, verdict: [] }, 'all stages have passed'],
    ['before the first stage', { current: undefined }, 'nothing speaks against the first stage'],
  ])('%s', (_, facts, text) => expect(given(facts)).toEqual({ level: 'safe', text }));
});

describe('it is to be waited', () => {
  test.each<Row>([
    ['while a stage is watched', {}, '25 % is being watched: no problem so far, decided by itself in 12 s'],
    [
      'when its time is up, and the gate has not spoken',
      { current: { name: '25 %', leftSeconds: 0 } },
      '25 % is being watched: no problem so far, about to be decided',
    ],
    ['while paused', { status: 'paused' }, 'paused in 25 %; no problem so far'],
    ['while a fault is in', { fault: FAULT }, `${FAULT}; until now no problem so far`],
    [
      'while a fault is in, and paused',
      { status: 'paused', fault: FAULT },
      `${FAULT}; until now no problem so far`,
    ],
  ])('%s', (_, facts, text) => expect(given(facts)).toEqual({ level: 'wait', text }));
});

describe('it is unsafe', () => {
  test.each<Row>([
    ['after one stale read', { staleReads: 1 }, '1 stale read; do not go on'],
    ['after more of them', { staleReads: 3 }, '3 stale reads; do not go on'],
    ['after a lost session', { lostSessions: 2 }, '2 lost sessions; do not go on'],
    [
      'after a session that came back',
      { resurrectedSessions: 1 },
      '1 session that came back after its end; do not go on',
    ],
    ['after a 5xx', { errors5xx: 1 }, '1 answer was 5xx; do not go on'],
    ['while paused, too', { status: 'paused', errors5xx: 7 }, '7 answers were 5xx; do not go on'],
    ['with a fault in, too', { fault: FAULT, staleReads: 1 }, '1 stale read; do not go on'],
    [
      'without the mirror',
      { isMirrorOff: true },
      'the legacy backend writes without the mirror; do not go on',
    ],
    ['when a stage has failed', { failed: FAILED, current: undefined }, `${FAILED_TEXT}; it is going back`],
    [
      'when it was asked to go back',
      { back: 'asked for' },
      'somebody has asked for the way back; it is going back',
    ],
    [
      'when it is back',
      { failed: FAILED, back: 'done', staleReads: 4, current: undefined },
      `4 stale reads; ${FAILED_TEXT}; all traffic is back at the legacy backend`,
    ],
    [
      'at a failed end',
      { status: 'failed', verdict: ['3 preserved keys were lost'], current: undefined },
      'the rehearsal has failed: 3 preserved keys were lost',
    ],
    [
      'at an end with stale reads',
      { status: 'failed', staleReads: 2, verdict: ['2 stale reads'] },
      '2 stale reads; the rehearsal has failed: 2 stale reads',
    ],
  ])('%s', (_, facts, text) => expect(given(facts)).toEqual({ level: 'unsafe', text }));
});
