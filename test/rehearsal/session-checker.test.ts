import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createSessionChecker,
  type KnownSession,
  type SessionChecker,
} from '../../rehearsal/session-checker.ts';

let at: number;
let checker: SessionChecker;
let session: KnownSession;

beforeEach(() => {
  at = 0;
  checker = createSessionChecker(() => at);
  session = checker.loggedIn({ userId: 'eve', cookie: 'c=1', csrfToken: 't' });
});

const logOut = (answer: 'done' | 'pending' | 'denied') => {
  checker.ending(session);
  checker.ended(session, answer);
};

describe('a session', () => {
  test('that is answered while it is live, and denied after its end, is in order', () => {
    expect(checker.end(checker.begin(session), true)).toBe(false);
    logOut('done');
    expect(checker.end(checker.begin(session), false)).toBe(false);
    expect(checker.summary()).toEqual({
      ...{ logins: 1, logouts: 1, checkedSessions: 2 },
      ...{ lostSessions: 0, resurrectedSessions: 0 },
    });
  });

  test('that is denied while it is live is lost', () => {
    expect(checker.end(checker.begin(session), false)).toBe(true);
    expect(checker.summary()).toMatchObject({ lostSessions: 1, resurrectedSessions: 0 });
  });

  test('whose user may not even log out is lost, and nothing more is expected of it', () => {
    logOut('denied');
    expect(checker.summary()).toMatchObject({ lostSessions: 1, logouts: 0 });
    at += 60_000;
    for (const isLetIn of [true, false]) expect(checker.end(checker.begin(session), isLetIn)).toBe(false);
  });

  test('that is answered after its end is back', () => {
    logOut('done');
    expect(checker.end(checker.begin(session), true)).toBe(true);
    expect(checker.summary()).toMatchObject({ lostSessions: 0, resurrectedSessions: 1 });
  });

  test('whose end is pending may be answered for 2 s, and no longer', () => {
    logOut('pending');
    at += 1999;
    for (const isLetIn of [true, false]) expect(checker.end(checker.begin(session), isLetIn)).toBe(false);
    at += 1;
    expect(checker.end(checker.begin(session), true)).toBe(true);
  });
});

describe('a request that overlaps the logout', () => {
  test.each([true, false])('may be let in or not: %s', (isLetIn) => {
    const before = checker.begin(session);
    checker.ending(session);
    const during = checker.begin(session);
    checker.ended(session, 'done');
    expect([checker.end(before, isLetIn), checker.end(during, isLetIn)]).toEqual([false, false]);
    expect(checker.summary()).toMatchObject({ checkedSessions: 0 });
  });
});

test('a logout without an answer leaves either answer right', () => {
  checker.ending(session);
  at += 60_000;
  for (const isLetIn of [true, false]) expect(checker.end(checker.begin(session), isLetIn)).toBe(false);
});
