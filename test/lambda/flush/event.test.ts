import { describe, expect, test } from '@jest/globals';
import { FlushEventError, parseFlushEvent, parseScheduledEvent } from '../../../lambda/flush/event.ts';

const RUN_ID = '0123456789abcdef0123456789abcdef01234567';

describe('a flush', () => {
  test('is asked for with any of its fields, or none', () => {
    const full = {
      ...{ dryRun: true, patterns: ['mocs:*'], preserve: ['mocs:user:1:*'], maxLatencyMs: 0 },
      positions: [{ runId: RUN_ID, cursor: '18446744073709551615' }],
    };
    for (const event of [{}, full]) expect(parseScheduledEvent(event)).toEqual(event);
  });

  test.each<[string, unknown]>([
    ['dryRun of the event, "false", is neither true nor false', { dryRun: 'false' }],
    [
      'dryrun of the event, false, is no field of a flush, which are dryRun, survey, patterns,',
      { dryrun: false },
    ],
    ['patterns of the event, [], is empty', { patterns: [] }],
    ['patterns.1 of the event, 7, is not a text', { patterns: ['mocs:*', 7] }],
    ['patterns "mocs:[" has a [ that never ends', { patterns: ['mocs:['] }],
    ['preserve "" is empty', { preserve: [''] }],
    ['patterns of the event, ["*"], match every key', { patterns: ['*'] }],
    ['maxLatencyMs of the event, -1, is below 0', { maxLatencyMs: -1 }],
    ['maxLatencyMs of the event, "2", is not a number', { maxLatencyMs: '2' }],
    ['positions of the event, {}, is not a list', { positions: {} }],
    ['positions.0.cursor of the event, 7, is not a text', { positions: [{ runId: 'a', cursor: 7 }] }],
    ['positions.0.runId of the event, nothing, is not what an earlier run', { positions: [{ cursor: '7' }] }],
    [
      'positions.0.cursor of the event, "7 0", is not a cursor',
      { positions: [{ runId: 'a', cursor: '7 0' }] },
    ],
    ['the event "flush" is not an object', 'flush'],
    ['the event [] is not an object', []],
    ['the event null is not an object', null],
  ])('is refused: %s', (message, event) => {
    expect(() => parseFlushEvent(event)).toThrow(FlushEventError);
    expect(() => parseFlushEvent(event)).toThrow(`flush: ${message}`);
  });

  test('that is refused is not quoted at length', () => {
    const patterns = { of: 'x'.repeat(10_000) };
    expect(() => parseFlushEvent({ patterns })).toThrow(/^.{0,160}$/);
  });
});

describe('a recovery check', () => {
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 3600 * 1000).toISOString();

  test('is asked for with the time of the flush', () => {
    const event = { check: 'recovery', since: daysAgo(1) };
    expect(parseScheduledEvent(event)).toEqual(event);
  });

  test.each<[string, object]>([
    ['check of the event, "health", is not "recovery"', { check: 'health', since: daysAgo(1) }],
    ['since of the event, nothing, is missing', { check: 'recovery' }],
    ['since of the event, "yesterday", is not a time', { check: 'recovery', since: 'yesterday' }],
    ['since of the event, 7, is not a time', { check: 'recovery', since: 7 }],
    [`is in the future`, { check: 'recovery', since: daysAgo(-1) }],
    ['is more than 15 days ago', { check: 'recovery', since: daysAgo(16) }],
    [
      'dryRun of the event, true, is missing, or no field of a check',
      { check: 'recovery', since: daysAgo(1), dryRun: true },
    ],
    ['check of the event, "recovery", is no field of a flush', { check: 'recovery' }],
  ])('is refused: %s', (message, event) => {
    const parse = message.includes('no field of a flush') ? parseFlushEvent : parseScheduledEvent;
    expect(() => parse(event)).toThrow(message);
  });
});
