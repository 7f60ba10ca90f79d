import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { parseId } from '../request/id.ts';
import { limitBody, readText } from '../request/json-body.ts';
import { shownCode } from '../stores/access-code.ts';
import type { Csrf } from '../stores/csrf.ts';
import { requireCsrf, requireRole, requireSession, type SessionEnv } from '../stores/session-route.ts';
import type { Sessions } from '../stores/sessions.ts';
import { parseClassroom, parseJoin } from './schema.ts';
import type { Classrooms } from './service.ts';

export interface ClassroomRoutesOptions {
  readonly classrooms: Classrooms;
  readonly sessions: Pick<Sessions, 'resolve'>;
  readonly csrf: Pick<Csrf, 'verify'>;
  /** How many codes a user may try. */
  readonly limitJoins: MiddlewareHandler;
}

const idOf = (c: Context) => parseId('sessionId', c.req.param('sessionId') ?? '');

/** `/api/classroom`: each route is for a session, of a teacher or of a student. */
export function classroomRoutes({
  classrooms,
  sessions,
  csrf,
  limitJoins,
}: ClassroomRoutesOptions): Hono<SessionEnv> {
  const routes = new Hono<SessionEnv>();
  routes.use(requireSession(sessions), requireCsrf(csrf));

  routes.post('/sessions', limitBody, async (c) => {
    const teacher = requireRole(c, 'teacher');
    const { title } = parseClassroom(await readText(c));
    const { value, invalidation } = await classrooms.begin(teacher, title);
    const { classroom, code } = value;
    c.header('x-invalidation', invalidation);
    c.header('location', `/api/classroom/sessions/${classroom.id}`);
    return c.json({ ...classroom, accessCode: shownCode(code.code) }, 201);
  });

  routes.get('/sessions', async (c) => {
    const { userId } = requireRole(c, 'teacher');
    const { ids, source } = await classrooms.list(userId);
    c.header('x-cache', source);
    return c.json({ sessions: ids });
  });

  routes.get('/sessions/:sessionId/access-code', async (c) => {
    const { userId } = requireRole(c, 'teacher');
    return c.json({ accessCode: shownCode(await classrooms.code(userId, idOf(c))) });
  });

  routes.get('/sessions/:sessionId/analytics', async (c) => {
    const { userId } = requireRole(c, 'teacher');
    return c.json(await classrooms.analytics(userId, idOf(c)));
  });

  routes.delete('/sessions/:sessionId', async (c) => {
    const { userId } = requireRole(c, 'teacher');
    c.header('x-invalidation', await classrooms.end(userId, idOf(c)));
    return c.body(null, 204);
  });

  routes.post('/join', limitJoins, limitBody, async (c) => {
    const student = requireRole(c, 'student');
    const { value, invalidation } = await classrooms.join(student, parseJoin(await readText(c)));
    c.header('x-invalidation', invalidation);
    return c.json({ sessionId: value.classroomId });
  });

  return routes;
}
