import { type Context, Hono } from 'hono';
import { ProblemError } from '../contract/problem.ts';
import { claimsOf, noToken } from '../request/authorization.ts';
import type { Csrf } from '../stores/csrf.ts';
import { StateUnavailableError } from '../stores/database-away.ts';
import type { Session } from '../stores/session-record.ts';
import {
  giveSession,
  requireCsrf,
  requireSession,
  type SessionEnv,
  sessionIdOf,
  takeSession,
} from '../stores/session-route.ts';
import type { Begun, Sessions } from '../stores/sessions.ts';
import { parseClaims, type User } from './schema.ts';

export interface SessionRoutesOptions {
  readonly sessions: Sessions;
  readonly csrf: Csrf;
  /** Told of what went wrong behind an answer. */
  readonly onError: (error: unknown) => void;
}

/**
 * `/api/sessions`: log in, look, change the id, log out. A login is for a token that an authorizer has found good, and whose claims
 * say who it is: `sub`, and `role`. The handler itself believes nobody.
 */
export function sessionRoutes(options: SessionRoutesOptions): Hono<SessionEnv> {
  const { sessions, csrf, onError } = options;
  const routes = new Hono<SessionEnv>();

  /** Hands over what has begun: the id as a cookie, the token in the body. */
  const hand = async (c: Context, { id, csrfToken, session, invalidation }: Begun) => {
    await csrf.remember(session, csrfToken);
    giveSession(c, id, session);
    c.header('x-invalidation', invalidation);
    c.header('cache-control', 'no-store');
    return c.json({ ...shown(session), csrfToken });
  };
  const orUnavailable = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof StateUnavailableError)) throw error;
      onError(error.cause);
      throw new ProblemError(503, 'the database does not answer; ask again in a few seconds');
    }
  };
  const userOf = (c: Context): User => {
    const claims = claimsOf(c);
    if (!claims) throw noToken();
    return parseClaims(claims);
  };

  // Whoever had the cookie before has it no more: an id that somebody else has planted is of no use to them.
  routes.post('/login', async (c) => hand(c, await orUnavailable(sessions.begin(userOf(c), sessionIdOf(c)))));

  routes.use(requireSession(sessions), requireCsrf(csrf));

  routes.get('/current', (c) => c.json(shown(c.get('session'))));

  routes.post('/rotate', async (c) => {
    const begun = await orUnavailable(sessions.rotate(sessionIdOf(c) ?? ''));
    if (!begun) throw new ProblemError(401, 'the session has ended meanwhile; log in again');
    return hand(c, begun);
  });

  routes.post('/logout', async (c) => {
    const { hash } = c.get('session');
    const ending = await orUnavailable(sessions.revoke(hash));
    takeSession(c);
    c.header('x-invalidation', ending?.invalidation ?? 'done');
    return c.body(null, 204);
  });

  return routes;
}

const shown = ({ userId, role, data, expiresAtMs }: Session) => ({
  userId,
  role,
  ...data,
  expiresAt: new Date(expiresAtMs).toISOString(),
});
