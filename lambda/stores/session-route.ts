import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { ProblemError } from '../contract/problem.ts';
import type { Csrf } from './csrf.ts';
import type { Role, Session } from './session-record.ts';
import type { Sessions } from './sessions.ts';

/** What the routes behind `requireSession` know of a request. */
export interface SessionEnv {
  Variables: { session: Session };
}

/** With the prefix `__Host-`: no other host and no plain connection can set it. */
const COOKIE = 'cutover_session';
const ATTRIBUTES = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax', prefix: 'host' } as const;

export const CSRF_HEADER = 'x-csrf-token';
/** Of these nothing is changed. */
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** The id in the request's cookie. */
export const sessionIdOf = (c: Context): string | undefined => getCookie(c, COOKIE, 'host');

/** Hands a session's id to the client, for as long as the session can last. */
export function giveSession(c: Context, id: string, { expiresAtMs }: Session): void {
  const maxAge = Math.max(0, Math.floor((expiresAtMs - Date.now()) / 1000));
  setCookie(c, COOKIE, id, { ...ATTRIBUTES, maxAge });
}

/** Has the client forget the id. */
export const takeSession = (c: Context): void => void deleteCookie(c, COOKIE, ATTRIBUTES);

/**
 * Lets requests of a live session pass, and says who it is: `c.get('session')`.
 * @throws ProblemError 401 without one; 503 while neither Redis nor the database can tell.
 */
export const requireSession =
  (sessions: Pick<Sessions, 'resolve'>): MiddlewareHandler<SessionEnv> =>
  async (c, next) => {
    // What a session sees is nobody else's.
    c.header('cache-control', 'no-store');
    const id = sessionIdOf(c);
    if (id === undefined) throw new ProblemError(401, 'no session; log in, and send its cookie');
    const found = await sessions.resolve(id);
    if (found.kind === 'unavailable') throw cannotTell();
    if (found.kind === 'none') {
      takeSession(c);
      throw new ProblemError(401, 'the session has ended or never was one; log in again');
    }
    c.set('session', found.session);
    await next();
  };

/**
 * Lets a request that changes something pass only with the token of its session: another site's page makes the browser send the
 * cookie, and cannot know the token. Behind `requireSession`.
 * @throws ProblemError 403 without it; 503 while neither Redis nor the database can tell.
 */
export const requireCsrf =
  (csrf: Pick<Csrf, 'verify'>): MiddlewareHandler<SessionEnv> =>
  async (c, next) => {
    if (!SAFE_METHODS.has(c.req.method)) {
      const verdict = await csrf.verify(c.get('session'), c.req.header(CSRF_HEADER) ?? '');
      if (verdict === 'unavailable') throw cannotTell();
      if (verdict === 'refused') {
        throw new ProblemError(
          403,
          `${CSRF_HEADER} is not the token of this session; send the one of its login`,
        );
      }
    }
    await next();
  };

/** @throws ProblemError 403 for a session of another role. */
export function requireRole(c: Context<SessionEnv>, role: Role): Session {
  const session = c.get('session');
  if (session.role === role) return session;
  throw new ProblemError(403, `this is for a ${role}, and the session is a ${session.role}'s`);
}

const cannotTell = () =>
  new ProblemError(503, 'sessions cannot be looked up now; ask again in a few seconds');
