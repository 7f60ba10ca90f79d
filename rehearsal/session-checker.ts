import type { Acknowledgement } from '../lambda/cache/cache.ts';
import { type Binding, createPendingBound, type PendingBound } from './pending-bound.ts';

/** A session of a user, as its browser knows it. */
export interface KnownSession {
  readonly userId: string;
  readonly cookie: string;
  /** What a change has to carry. */
  readonly csrfToken: string;
  /** A logout was sent: from then on either answer is right, until the logout is acknowledged. */
  isEnding: boolean;
  /** From when on nobody may be answered for it; undefined where that was not acknowledged. */
  ended: Binding | undefined;
}

/** A request that is under way: which answers are right was known before it began. */
export interface PendingAsk {
  readonly session: KnownSession;
  readonly expects: 'live' | 'ended' | 'either';
}

export interface SessionFaults {
  /** Answers that denied a user who had logged in and not out. */
  readonly lostSessions: number;
  /** Answers for a user whose logout was acknowledged before. */
  readonly resurrectedSessions: number;
}

export interface SessionFigures extends SessionFaults {
  readonly logins: number;
  readonly logouts: number;
  /** Answers that were checked: denied or let in, where only one of them was right. */
  readonly checkedSessions: number;
}

export interface SessionChecker {
  /** Call it when a login's answer has arrived. */
  loggedIn(who: Pick<KnownSession, 'userId' | 'cookie' | 'csrfToken'>): KnownSession;
  /** Call it before the request is sent. */
  begin(session: KnownSession): PendingAsk;
  /** Call it when an answer has arrived that lets the user in, or denies it. @returns whether it was wrong. */
  end(ask: PendingAsk, isLetIn: boolean): boolean;
  /** Call it before a logout is sent; what is under way is not judged any more. */
  ending(session: KnownSession): void;
  /** Call it when a logout's answer has arrived; `denied` where the backend did not know the user, or the token. */
  ended(session: KnownSession, answer: Acknowledgement | 'denied'): void;
  summary(): SessionFigures;
}

/**
 * Finds sessions that were lost, and such as came back after their end, whichever backend, phase or home answered.
 * @param now milliseconds; replaced in tests. @param bound that of the same run's other checkers.
 */
export function createSessionChecker(
  now: () => number = () => performance.now(),
  bound: Pick<PendingBound, 'of'> = createPendingBound(now),
): SessionChecker {
  const counts = { lostSessions: 0, resurrectedSessions: 0, logins: 0, logouts: 0, checkedSessions: 0 };
  return {
    loggedIn(who) {
      counts.logins += 1;
      return { ...who, isEnding: false, ended: undefined };
    },
    begin: (session) => ({ session, expects: expectationOf(session, now()) }),
    end({ session, expects }, isLetIn) {
      if (expects === 'either' || (expects === 'live' && session.isEnding)) return false;
      counts.checkedSessions += 1;
      if (isLetIn === (expects === 'live')) return false;
      counts[isLetIn ? 'resurrectedSessions' : 'lostSessions'] += 1;
      return true;
    },
    ending(session) {
      session.isEnding = true;
    },
    ended(session, answer) {
      if (answer === 'denied') {
        counts.lostSessions += 1;
        return;
      }
      counts.logouts += 1;
      session.ended = bound.of(answer);
    },
    summary: () => ({ ...counts }),
  };
}

function expectationOf({ isEnding, ended }: KnownSession, at: number): PendingAsk['expects'] {
  if (!isEnding) return 'live';
  return ended !== undefined && ended.from <= at ? 'ended' : 'either';
}
