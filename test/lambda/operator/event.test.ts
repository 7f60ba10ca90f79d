import { describe, expect, test } from '@jest/globals';
import { parseOperatorEvent } from '../../../lambda/operator/event.ts';

const POSITIONS = [{ runId: 'abc123', cursor: '42' }];

test.each([
  { command: 'flush' },
  {
    command: 'flush',
    dryRun: true,
    survey: true,
    namespace: 'cw',
    patterns: ['mocs:*'],
    positions: POSITIONS,
  },
  { command: 'census', maxLatencyMs: 0, limitSeconds: 10, positions: POSITIONS },
  { command: 'doctor' },
  { command: 'explain', key: 'mocs:user:1:list', showValue: true },
  { command: 'phase' },
  { command: 'coverage', sinceSeconds: 90 },
  { command: 'cleanup', target: 'legacy', legacyStopped: true, dryRun: false, limitSeconds: 0 },
])('%j is what it says', (event) => {
  expect(parseOperatorEvent(event)).toEqual(event);
});

describe('is refused, and nothing is changed', () => {
  test.each<[string, unknown]>([
    ['operator: the event "flush" is not an object; it is { "command": "flush", ... }', 'flush'],
    [
      'operator: command of the event, nothing, is none of flush, census, cleanup, doctor, explain, phase, coverage',
      {},
    ],
    ['operator: command of the event, "eval", is none of', { command: 'eval' }],
    ['operator: command of the event, "toString", is none of', { command: 'toString' }],
    ['flush: namespace of the event, "v3", is none of none, v2, cw', { command: 'flush', namespace: 'v3' }],
    ['flush: patterns of the event, ["*"], match every key', { command: 'flush', patterns: ['*'] }],
    ['flush: limitSeconds of the event, -1, is below 0', { command: 'flush', limitSeconds: -1 }],
    ['census: dryRun of the event, true, is no field of a census', { command: 'census', dryRun: true }],
    ['cleanup: target of the event, nothing, is missing', { command: 'cleanup' }],
    [
      'cleanup: target of the event, "all", is none of legacy, v2, cw, v1',
      { command: 'cleanup', target: 'all' },
    ],
    [
      'doctor: key of the event, "mocs:1", is no field of a doctor’s event',
      { command: 'doctor', key: 'mocs:1' },
    ],
    ['explain: key of the event, nothing, is missing', { command: 'explain' }],
    ['explain: key of the event, "", is empty', { command: 'explain', key: '' }],
    ['phase: to of the event', { command: 'phase', to: 'dual' }],
    ['cleanup: patterns of the event', { command: 'cleanup', target: 'v2', patterns: ['mocs:*'] }],
  ])('%s', (message, event) => {
    expect(() => parseOperatorEvent(event)).toThrow(
      expect.objectContaining({ name: 'FlushEventError', message: expect.stringContaining(message) }),
    );
  });
});
