import { expect, test } from '@jest/globals';
import { narrationOf, type RehearsalEvent } from '../../../../rehearsal/console/source/narration.ts';

const REPORT = { flushed: 11, preserved: 22, seconds: 0.5 };

test.each<[event: unknown, mark: string | undefined, text: string]>([
  [{ kind: 'stage', weightPercent: 25 }, undefined, 'stage 25 % begins'],
  [
    { kind: 'flushed', weightPercent: 25, report: REPORT },
    'flush',
    '11 cache entries flushed, 22 keys preserved, before 25 %',
  ],
  [{ kind: 'weight', from: 5, to: 25 }, 'weight', "the serverless backend's weight goes from 5 % to 25 %"],
  [{ kind: 'judged', stage: { weightPercent: 25, gate: 'pass', reasons: [] } }, undefined, '25 % has passed'],
  [
    { kind: 'judged', stage: { weightPercent: 25, gate: 'fail', reasons: ['slow', 'stale'] } },
    undefined,
    '25 % has failed: slow, stale',
  ],
  [
    { kind: 'rolled back', report: REPORT },
    'back',
    'all traffic is back at the legacy backend; 11 cache entries flushed, 22 keys preserved',
  ],
  [{ kind: 'told', subject: 'done' }, undefined, 'done'],
  [{ kind: 'step', step: { name: 'dual' } }, undefined, 'step dual begins'],
  [
    { kind: 'carried', carried: { keys: 7, to: 'prefixed', again: 1 } },
    undefined,
    '7 keys carried to prefixed, and again 1',
  ],
  [{ kind: 'together', from: 'legacy', to: 'dual' }, 'phase', 'legacy and dual at once'],
  [{ kind: 'shifted', phase: 'dual' }, 'phase', 'dual everywhere'],
  [{ kind: 'cleaned', report: REPORT }, 'flush', '11 cache entries flushed, 22 keys preserved'],
  [
    { kind: 'step judged', step: { step: 'dual', gate: 'fail', reasons: ['slow'] } },
    undefined,
    'step dual has failed: slow',
  ],
  [{ kind: 'fault', name: 'freeze-redis' }, 'fault', 'Redis is frozen on purpose'],
  [{ kind: 'fault over', name: 'freeze-redis' }, 'fault', 'Redis answers again'],
])('%j', (event, mark, text) => {
  const entry = narrationOf(event as RehearsalEvent);
  expect([entry?.mark, entry?.text]).toEqual([mark, text]);
});

test('the steps of the state machine are not told one by one', () => {
  expect(narrationOf({ kind: 'machine', event: { type: 'TaskStateEntered', at: 1 } })).toBeUndefined();
});
