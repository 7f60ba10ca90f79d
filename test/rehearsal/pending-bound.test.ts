import { beforeEach, expect, test } from '@jest/globals';
import { createChecker } from '../../rehearsal/checker.ts';
import { createPendingBound, PENDING_BOUND_MS, type PendingBound } from '../../rehearsal/pending-bound.ts';
import { createSessionChecker } from '../../rehearsal/session-checker.ts';

let at: number;
let bound: PendingBound;
const now = () => at;

beforeEach(() => {
  at = 1000;
  bound = createPendingBound(now);
});

test('what is done binds at once, what is pending after the bound', () => {
  expect([bound.of('done').from, bound.of('pending').from]).toEqual([1000, 1000 + PENDING_BOUND_MS]);
});

test('while Redis is away nothing pending binds, and the bound begins anew when it is back', () => {
  const [before, done] = [bound.of('pending'), bound.of('done')];
  at += PENDING_BOUND_MS - 1;
  bound.away();
  const meanwhile = bound.of('pending');
  at += 60_000;
  expect([before.from, meanwhile.from]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  bound.back();
  const from = at + PENDING_BOUND_MS;
  expect([before.from, meanwhile.from, done.from]).toEqual([from, from, 1000]);
  expect(bound.of('pending').from).toBe(from);
});

test('what bound before the outage stays bound', () => {
  const binding = bound.of('pending');
  at += PENDING_BOUND_MS;
  bound.away();
  bound.back();
  expect(binding.from).toBe(1000 + PENDING_BOUND_MS);
});

test('both checkers hold reads to it', () => {
  const checker = createChecker(now, bound);
  const sessions = createSessionChecker(now, bound);
  const session = sessions.loggedIn({ userId: '1', cookie: 'c', csrfToken: 't' });
  bound.away();
  checker.acknowledged('K', { version: 2, backend: 'express', acknowledgement: 'pending' });
  sessions.ending(session);
  sessions.ended(session, 'pending');
  const isWrong = () => [
    checker.end(checker.begin('K'), { version: 1, backend: 'serverless' }),
    sessions.end(sessions.begin(session), true),
  ];
  at += 60_000;
  bound.back();
  at += PENDING_BOUND_MS - 1;
  expect(isWrong()).toEqual([false, false]);
  at += 1;
  expect(isWrong()).toEqual([true, true]);
});
