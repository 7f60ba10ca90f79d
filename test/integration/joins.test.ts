import { beforeAll, expect, test } from '@jest/globals';
import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import type { Phase } from '../../lambda/cache/phase.ts';
import { createClassrooms } from '../../lambda/classroom/service.ts';
import { ProblemError } from '../../lambda/contract/problem.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import { createAccessCodes } from '../../lambda/stores/access-codes.ts';
import { createAnalytics } from '../../lambda/stores/analytics.ts';
import type { Session } from '../../lambda/stores/session-record.ts';
import { createSessions } from '../../lambda/stores/sessions.ts';
import { createStateRedis } from '../../lambda/stores/state-redis.ts';
import { createTeacherSessions } from '../../lambda/stores/teacher-sessions.ts';
import { ENV, type StateServers, stateServers } from '../support/state.ts';

/** Two users with one code at the same moment, 1,000 times, on instances of every kind: one is let in. */
const TIMES = 1000;
const AT_ONCE = 50;

let servers: StateServers;
beforeAll(async () => {
  servers = await stateServers();
});

/** An instance of the API: `null` is one that has no Redis, and asks the database alone. */
function instanceIn(phase: Phase | null, database: Database) {
  const keyspace = createKeyspace({ phase: phase ?? 'legacy', env: ENV });
  const { send } = servers.redis;
  const redis = createStateRedis({ keyspace, ...(phase && { connections: { reads: send, send } }) });
  const sessions = createSessions({ redis, database });
  const codes = createAccessCodes({ redis });
  const classrooms = createClassrooms({
    database,
    sessions,
    codes,
    teachers: createTeacherSessions(redis),
    analytics: createAnalytics({ redis, types: ['began', 'joined'] }),
    onError: (error) => {
      throw error;
    },
  });
  return { sessions, codes, classrooms };
}

test(`exactly one of two joins succeeds, ${TIMES} times, across namespaces and backends`, async () => {
  const url = `${(servers.database.options as { connectionString?: string }).connectionString}`;
  // A backend has a pool of its own.
  const second = createPool({ url, applicationName: 'second', maxConnections: 20 });
  const instances = [
    ...([null, 'legacy', 'dual', 'prefixed'] as const).map((phase) => instanceIn(phase, servers.database)),
    ...(['legacy', 'dual', 'prefixed'] as const).map((phase) => instanceIn(phase, second)),
  ];
  const at = (index: number) => instances[index % instances.length] as (typeof instances)[number];
  const [first] = instances;
  const teacher = (await first?.sessions.begin({ userId: 'ada', role: 'teacher' }))?.session as Session;
  const students = await Promise.all(
    ['eve', 'mallory'].map(
      async (userId) => (await first?.sessions.begin({ userId, role: 'student' }))?.session,
    ),
  );
  const lesson = await first?.classrooms.begin(teacher, 'Fractions');
  const classroomId = lesson?.value.classroom.id ?? '';

  const outcomes = { joined: 0, refused: 0 };
  const round = async (index: number) => {
    const code = await at(index).codes.issue(servers.database, classroomId);
    // Every other code is known to Redis before it is used.
    if (index % 2 === 0) await at(index + 1).codes.remember(classroomId, code);
    const joining = students.map(async (student, which) => {
      try {
        // Each pair of instances comes up: the distance between the two changes with each round.
        const where = at(index + which * (1 + Math.floor(index / instances.length)));
        return (await where.classrooms.join(student as Session, code.code)).value.classroomId;
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return 'refused';
        throw error;
      }
    });
    const [one, other] = await Promise.all(joining);
    expect([one, other].sort()).toEqual([classroomId, 'refused'].sort());
    outcomes.joined += 1;
    outcomes.refused += 1;
  };
  for (let begun = 0; begun < TIMES; begun += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => round(begun + index)));
  }
  expect(outcomes).toEqual({ joined: TIMES, refused: TIMES });
  const { rows } = await servers.database.query(
    'SELECT count(*)::int AS used, count(DISTINCT used_by)::int AS users FROM access_codes WHERE used_at IS NOT NULL',
  );
  expect(rows).toEqual([{ used: TIMES, users: 2 }]);
  await second.end();
}, 120_000);

test('a look before the use, in two statements, lets both in', async () => {
  const { codes, classrooms, sessions } = instanceIn('dual', servers.database);
  const { session } = await sessions.begin({ userId: 'ada', role: 'teacher' });
  const lesson = await classrooms.begin(session, 'Fractions');
  const naive = async (code: string, userId: string) => {
    const { rows } = await servers.database.query(
      'SELECT FROM access_codes WHERE code = $1 AND used_at IS NULL',
      [code],
    );
    if (rows.length === 0) return false;
    await servers.database.query('UPDATE access_codes SET used_at = now(), used_by = $2 WHERE code = $1', [
      code,
      userId,
    ]);
    return true;
  };
  let both = 0;
  for (let time = 0; time < 50; time += 1) {
    const { code } = await codes.issue(servers.database, lesson.value.classroom.id);
    const joined = await Promise.all([naive(code, 'eve'), naive(code, 'mallory')]);
    if (joined.every(Boolean)) both += 1;
  }
  expect(both).toBeGreaterThan(0);
});
