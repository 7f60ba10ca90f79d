import type { Acknowledgement } from '../lambda/cache/cache.ts';
import { LOGIN_PATH } from '../lambda/contract/session-routes.ts';
import { type Answer, type Asking, type Question, unexpected } from './ask.ts';
import type { Target } from './population.ts';
import type { Random } from './random.ts';
import type { KnownSession, SessionChecker } from './session-checker.ts';

/** Who asks, and from which devices. */
export type SessionUser = Pick<Target, 'owner' | 'devices'>;

/** The sessions of the users: one a user, whose cookie both of its devices have. */
export interface UserSessions {
  /** What a user's request carries. Who is not logged in logs in first; nothing where that was answered 5xx. */
  cookieOf(user: SessionUser): Promise<Readonly<Record<string, string>>>;
  /** One request about the session: who am I, the same with the cookie of an ended session, or a logout. */
  turn(user: SessionUser): Promise<void>;
}

export interface UserSessionsOptions {
  readonly ask: Asking['ask'];
  readonly checker: SessionChecker;
  readonly random: Random;
}

const LOGOUT_SHARE = 0.1;
/** Of those whose user has ended one. */
const ENDED_SHARE = 0.3;

interface Known {
  current?: Promise<KnownSession | undefined> | undefined;
  /** The last one that the user has ended. */
  ended?: KnownSession;
}

export function createUserSessions({ ask, checker, random }: UserSessionsOptions): UserSessions {
  const users = new Map<string, Known>();
  const knownOf = ({ owner: { userId } }: SessionUser): Known => {
    const known = users.get(userId) ?? {};
    users.set(userId, known);
    return known;
  };
  const deviceOf = ({ devices }: SessionUser) => devices[random() < 0.5 ? 0 : 1].name;

  const logIn = async (user: SessionUser): Promise<KnownSession | undefined> => {
    const { userId } = user.owner;
    const body = JSON.stringify({ userId, role: 'student' });
    const question = { device: deviceOf(user), method: 'POST', path: LOGIN_PATH, body } as const;
    const answer = await ask(question);
    if (answer.status >= 500) return undefined;
    const cookie = answer.header('set-cookie')?.split(';')[0];
    const { csrfToken } = fieldsOf(answer);
    if (answer.status !== 200 || !cookie || typeof csrfToken !== 'string') throw unexpected(question, answer);
    return checker.loggedIn({ userId, cookie, csrfToken });
  };

  const currentOf = (user: SessionUser): Promise<KnownSession | undefined> => {
    const known = knownOf(user);
    if (known.current) return known.current;
    const current = logIn(user).then((session) => {
      if (!session && known.current === current) known.current = undefined;
      return session;
    });
    known.current = current;
    return current;
  };

  const look = async (user: SessionUser, session: KnownSession) => {
    const question: Question = {
      ...{ device: deviceOf(user), method: 'GET', path: '/api/sessions/current' },
      headers: { cookie: session.cookie },
    };
    const pending = checker.begin(session);
    const answer = await ask(question);
    if (answer.status >= 500) return;
    const isLetIn = answer.status === 200 && fieldsOf(answer)['userId'] === session.userId;
    if (!isLetIn && answer.status !== 401) throw unexpected(question, answer);
    checker.end(pending, isLetIn);
  };

  const logOut = async (user: SessionUser, session: KnownSession) => {
    const known = knownOf(user);
    // Whoever asks from now on logs in again.
    known.current = undefined;
    const question: Question = {
      ...{ device: deviceOf(user), method: 'POST', path: '/api/sessions/logout' },
      headers: { cookie: session.cookie, 'x-csrf-token': session.csrfToken },
    };
    checker.ending(session);
    const answer = await ask(question);
    if (answer.status >= 500) return;
    if (answer.status === 401 || answer.status === 403) return checker.ended(session, 'denied');
    const acknowledgement = answer.header('x-invalidation') as Acknowledgement | undefined;
    if (answer.status !== 204 || acknowledgement === undefined) throw unexpected(question, answer);
    checker.ended(session, acknowledgement);
    known.ended = session;
  };

  return {
    async cookieOf(user): Promise<Record<string, string>> {
      const session = await currentOf(user);
      return session ? { cookie: session.cookie } : {};
    },
    async turn(user) {
      // Drawn before anything is awaited: the same for the same seed.
      const [kind, other] = [random(), random()];
      const { ended } = knownOf(user);
      if (ended && other < ENDED_SHARE) return look(user, ended);
      const session = await currentOf(user);
      if (!session) return;
      // Another request may have ended it meanwhile.
      if (kind < LOGOUT_SHARE && !session.isEnding) return logOut(user, session);
      return look(user, session);
    },
  };
}

/** @throws for an answer that is no JSON object. */
function fieldsOf({ text }: Answer): Readonly<Record<string, unknown>> {
  return Object(text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
}
