import { type Context, Hono } from 'hono';
import type { Keyspace } from '../cache/keyspace.ts';
import type { Database } from '../database/pool.ts';
import { createAccessCodes } from '../stores/access-codes.ts';
import { createAnalytics } from '../stores/analytics.ts';
import { createCsrf } from '../stores/csrf.ts';
import { type RouteLimit, rateLimit } from '../stores/rate-limits-route.ts';
import type { SessionEnv } from '../stores/session-route.ts';
import { createSessions } from '../stores/sessions.ts';
import { createStateRedis, type StateConnections } from '../stores/state-redis.ts';
import { createTeacherSessions } from '../stores/teacher-sessions.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { classroomRoutes } from './routes.ts';
import { CLASSROOM_EVENTS, createClassrooms } from './service.ts';
import { sessionRoutes } from './session-routes.ts';

/** What the classroom of a process is made of. */
export interface ClassroomParts {
  readonly keyspace: Keyspace;
  /** None: the database alone answers. */
  readonly connections: StateConnections | undefined;
  readonly database: Database;
  readonly logger: Logger;
}

/**
 * Codes that a user may try. Open while Redis is away, where each process counts by itself: a class that begins does not wait for a
 * cache, and nobody finds a code of 49 bits that way, either.
 */
const JOINS: RouteLimit = {
  name: 'join',
  points: 10,
  windowSeconds: 60,
  whenAway: 'open',
  subjectOf: (c) => (c as Context<SessionEnv>).get('session').userId,
};

/** The routes of sessions and of the classroom, by where they begin. Its log has families of keys, and neither ids nor codes. */
export function wireClassroom(parts: ClassroomParts): Record<string, Hono> {
  const { keyspace, connections, database, logger } = parts;
  const onError = (error: unknown) => logger.error('database error behind an answer', errorFields(error));
  const redis = createStateRedis({
    keyspace,
    connections,
    onTrouble: (error, family) => logger.warn('state error', { family, ...errorFields(error) }),
  });
  const sessions = createSessions({ redis, database, onError });
  const csrf = createCsrf({ redis, database, onError });
  const classrooms = createClassrooms({
    database,
    sessions,
    analytics: createAnalytics({ redis, types: CLASSROOM_EVENTS }),
    onError,
    codes: createAccessCodes({ redis }),
    teachers: createTeacherSessions(redis),
  });
  return {
    '/api/sessions': mounted(sessionRoutes({ sessions, csrf, onError })),
    '/api/classroom': mounted(
      classroomRoutes({ classrooms, sessions, csrf, limitJoins: rateLimit(redis, JOINS) }),
    ),
  };
}

/** What these routes know of a request is theirs alone. */
const mounted = (routes: Hono<SessionEnv>): Hono => new Hono().route('/', routes);
