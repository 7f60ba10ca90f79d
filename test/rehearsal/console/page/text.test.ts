import { describe, expect, test } from '@jest/globals';
import type { StageView } from '../../../../rehearsal/console/contract.ts';
import {
  count,
  duration,
  moment,
  shares,
  span,
  staleSentence,
  where,
} from '../../../../rehearsal/console/page/text.ts';

test.each([
  [0, '0:00'],
  [42_900, '0:42'],
  [3_723_000, '1:02:03'],
  [-5, '0:00'],
])('%d ms are %s', (milliseconds, text) => expect(duration(milliseconds)).toBe(text));

test.each([
  [41.4, '41 ms'],
  [3210, '3.2 s'],
  [125_000, '2:05 min'],
])('%d ms are said as %s', (milliseconds, text) => expect(span(milliseconds)).toBe(text));

test('what nobody counts is not a 0', () => {
  expect([count(12_345), count(0), count(null)]).toEqual(['12,345', '0', 'not measured']);
});

test('a moment of a rehearsal is since it began', () => {
  expect(moment({ kind: 'rehearsal', startedAt: 1000 }, 62_000)).toBe('1:01');
  expect(moment({ kind: 'stage', startedAt: 1000 }, 62_000)).toMatch(/^\d\d:\d\d:02$/);
});

test.each([
  [
    { legacy: 75, serverless: 25 },
    { legacy: 75, serverless: 25 },
  ],
  [
    { legacy: 2, serverless: 1 },
    { legacy: 66.7, serverless: 33.3 },
  ],
  [
    { legacy: 0, serverless: 0 },
    { legacy: 50, serverless: 50 },
  ],
])('weights %j are shares %j', (weights, percent) => expect(shares({ weights })).toEqual(percent));

describe('where', () => {
  const stages = (...statuses: StageView['status'][]) =>
    statuses.map((status, index) => ({ status, name: `${[5, 25, 50][index]} %`, reasons: [] }));

  test.each([
    ['running', stages('current', 'next'), 'Stage 1 of 2: 5 %'],
    ['running', stages('passed', 'next'), 'Before stage 2 of 2: 25 %'],
    ['passed', stages('passed', 'passed'), 'All 2 stages passed'],
    ['failed', stages('passed', 'failed', 'next'), 'Stage 2 of 3 (25 %) failed'],
    ['failed', stages('passed', 'next'), 'Failed before stage 2 of 2'],
    ['idle', [], 'No stage'],
  ] as const)('%s with %j: %s', (status, of, text) => expect(where({ status, stages: of })).toBe(text));
});

test('a stale read is a sentence', () => {
  const sentence = staleSentence({
    ...{ at: 0, key: 'mocs:user:7:list', readBy: 'serverless', writtenBy: 'legacy' },
    ...{ versionRead: 6, versionWritten: 8, ageMs: 412 },
  });
  expect(sentence.map(({ text }) => text).join('')).toBe(
    "serverless read version 6 of mocs:user:7:list 412 ms after legacy's version 8 was acknowledged",
  );
});
