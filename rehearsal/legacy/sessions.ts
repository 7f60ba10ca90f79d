import { type Request, type RequestHandler, type Response, Router, text } from 'express';
import { parseClaims } from '../../lambda/classroom/schema.ts';
import { ProblemError } from '../../lambda/contract/problem.ts';
import { MAX_BODY_BYTES, parseJson, requireJson } from '../../lambda/request/json-body.ts';
import type { Csrf } from '../../lambda/stores/csrf.ts';
import type { Session } from '../../lambda/stores/session-record.ts';
import type { Sessions } from '../../lambda/stores/sessions.ts';

/** The stores of the legacy backend: those of the serverless one, since both answer for one cookie. */
export interface LegacyStores {
  readonly sessions: Pick<Sessions, 'begin' | 'resolve' | 'revoke'>;
  readonly csrf: Csrf;
}

const COOKIE = '__Host-cutover_session';
const ATTRIBUTES = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const;

/**
 * `/api/sessions` of the legacy backend: log in, look, log out. As the gate of the rehearsal's serverless host, its login believes
 * whoever says who it is: `{ "userId", "role" }`.
 */
export function legacySessions({ sessions, csrf }: LegacyStores): Router {
  const routes = Router({ strict: true, caseSensitive: true });

  const sessionOf = async (req: Request, res: Response): Promise<Session> => {
    const id = cookieOf(req);
    if (id === undefined) throw new ProblemError(401, 'no session; log in, and send its cookie');
    const found = await sessions.resolve(id);
    if (found.kind === 'live') return found.session;
    if (found.kind === 'unavailable') throw cannotTell();
    res.clearCookie(COOKIE, ATTRIBUTES);
    throw new ProblemError(401, 'the session has ended or never was one; log in again');
  };

  const login: RequestHandler = async (req, res) => {
    requireJson({ contentType: req.get('content-type'), contentEncoding: req.get('content-encoding') });
    const { userId, role } = Object(parseJson(req.body || '')) as { userId?: unknown; role?: unknown };
    const begun = await sessions.begin(parseClaims({ sub: userId, role }), cookieOf(req));
    const { id, csrfToken, session, invalidation } = begun;
    await csrf.remember(session, csrfToken);
    res.cookie(COOKIE, id, { ...ATTRIBUTES, maxAge: Math.max(0, session.expiresAtMs - Date.now()) });
    res.set('x-invalidation', invalidation).json({ ...shown(session), csrfToken });
  };

  routes.use((_req, res, next) => {
    res.set('cache-control', 'no-store');
    next();
  });

  routes.post('/login', text({ type: () => true, limit: MAX_BODY_BYTES, inflate: false }), login);

  routes.get('/current', async (req, res) => {
    res.json(shown(await sessionOf(req, res)));
  });

  routes.post('/logout', async (req, res) => {
    const session = await sessionOf(req, res);
    const verdict = await csrf.verify(session, req.get('x-csrf-token') ?? '');
    if (verdict === 'unavailable') throw cannotTell();
    if (verdict === 'refused') throw new ProblemError(403, 'x-csrf-token is not the token of this session');
    const ending = await sessions.revoke(session.hash);
    res.clearCookie(COOKIE, ATTRIBUTES);
    res
      .set('x-invalidation', ending?.invalidation ?? 'done')
      .status(204)
      .end();
  });

  return routes;
}

/** The id in the request's cookie. */
function cookieOf(req: Request): string | undefined {
  const pairs = (req.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

const cannotTell = () =>
  new ProblemError(503, 'sessions cannot be looked up now; ask again in a few seconds');

const shown = ({ userId, role, data, expiresAtMs }: Session) => ({
  userId,
  role,
  ...data,
  expiresAt: new Date(expiresAtMs).toISOString(),
});
