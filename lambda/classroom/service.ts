import { randomBytes } from 'node:crypto';
import type { Acknowledgement } from '../cache/cache.ts';
import { ProblemError } from '../contract/problem.ts';
import { type Database, type Queryable, withTransaction } from '../database/pool.ts';
import type { AccessCode, AccessCodes } from '../stores/access-codes.ts';
import type { SessionAnalytics } from '../stores/analytics.ts';
import { decidedByDatabase, StateUnavailableError } from '../stores/database-away.ts';
import type { Session } from '../stores/session-record.ts';
import type { Sessions } from '../stores/sessions.ts';
import { createStateWrite } from '../stores/state-writes.ts';
import { MAX_MEMBERS, type TeacherSessions, teacherKey } from '../stores/teacher-sessions.ts';
import { endClassroom, insertClassroom, insertMember, readOpenClassroom, readOpenIds } from './repository.ts';
import type { Classroom } from './schema.ts';

/** What is counted of a classroom session. */
export const CLASSROOM_EVENTS = ['began', 'joined'] as const;
export type ClassroomEvent = (typeof CLASSROOM_EVENTS)[number];

/** Where an answer came from: Redis, the database because Redis did not know. */
export type Source = 'hit' | 'miss';

export interface Classrooms {
  begin(teacher: Session, title: string): Promise<Changed<{ classroom: Classroom; code: AccessCode }>>;
  /** The ids of a teacher's open sessions. */
  list(teacherId: string): Promise<{ readonly ids: readonly string[]; readonly source: Source }>;
  /** The unused code of a session, or a new one. @throws ProblemError 404 for a session that is not the teacher's. */
  code(teacherId: string, classroomId: string): Promise<string>;
  /** @throws ProblemError 404 for a code that admits nobody. */
  join(student: Session, code: string): Promise<Changed<{ classroomId: string }>>;
  /** @throws ProblemError 404 as `code`; 503 where it cannot be read now. */
  analytics(teacherId: string, classroomId: string): Promise<object>;
  /** @throws ProblemError 404 as `code`. */
  end(teacherId: string, classroomId: string): Promise<Acknowledgement>;
}

/** What a write has stored; `pending`: another process may answer from before it until the dispatcher has run. */
export interface Changed<T> {
  readonly value: T;
  readonly invalidation: Acknowledgement;
}

export interface ClassroomsOptions {
  readonly database: Database;
  readonly codes: AccessCodes;
  readonly teachers: TeacherSessions;
  readonly sessions: Pick<Sessions, 'update'>;
  readonly analytics: Pick<SessionAnalytics<ClassroomEvent>, 'record' | 'read'>;
  /** Told of what went wrong behind an answer. */
  readonly onError: (error: unknown) => void;
}

const ID_BYTES = 16;

export function createClassrooms(options: ClassroomsOptions): Classrooms {
  const { database, codes, teachers, sessions, analytics, onError } = options;
  const write = createStateWrite(database);

  /** A write after which a teacher's set is outdated. */
  const changing = async <T>(
    teacherId: string,
    { change, tell }: { change: (tx: Queryable) => Promise<T>; tell: (value: T) => Promise<boolean> },
  ): Promise<Changed<T>> => {
    const { value, acknowledge } = await decide(() =>
      write((tx, outdate) => {
        outdate(teacherKey(teacherId));
        return change(tx);
      }),
    );
    return { value, invalidation: acknowledge(await tell(value)) };
  };

  const requireOwn = async (teacherId: string, classroomId: string): Promise<void> => {
    const classroom = await decide(() => readOpenClassroom(database, classroomId));
    if (classroom?.teacherId !== teacherId) throw unknownClassroom(classroomId);
  };

  return {
    begin: ({ userId: teacherId }, title) =>
      changing(teacherId, {
        async change(tx) {
          const id = randomBytes(ID_BYTES).toString('base64url');
          const classroom = await insertClassroom(tx, { id, title, teacherId });
          return { classroom, code: await codes.issue(tx, id) };
        },
        async tell({ classroom, code }) {
          const [isTold] = await Promise.all([
            teachers.add(teacherId, classroom.id),
            codes.remember(classroom.id, code),
            analytics.record(classroom.id, { type: 'began' }),
          ]);
          return isTold;
        },
      }),

    async list(teacherId) {
      const known = await teachers.read(teacherId);
      if (known.kind === 'known') return { ids: known.ids, source: 'hit' };
      const load = () => readOpenIds(database, teacherId);
      const ids = await decide(load);
      await teachers.fill(teacherId, ids, load).catch(onError);
      return { ids: ids.slice(0, MAX_MEMBERS), source: 'miss' };
    },

    async code(teacherId, classroomId) {
      await requireOwn(teacherId, classroomId);
      const known = await codes.known(classroomId);
      if (known !== undefined) return known;
      const latest = await decide(
        async () => (await codes.latest(database, classroomId)) ?? (await codes.issue(database, classroomId)),
      );
      await codes.remember(classroomId, latest);
      return latest.code;
    },

    async join(student, code) {
      const { userId } = student;
      if ((await codes.look(code)) === 'used') throw unknownCode();
      const classroomId = await decide(() =>
        withTransaction(database, async (tx) => {
          const admittedTo = await codes.use(tx, { code, userId });
          if (admittedTo !== undefined) await insertMember(tx, { classroomId: admittedTo, userId });
          return admittedTo;
        }),
      );
      if (classroomId === undefined) throw unknownCode();
      // The code is used: what follows may fail, and the user is in.
      const [updated] = await Promise.all([
        sessions.update(student.hash, { classroomId }).catch(onError),
        codes.forget(classroomId, code),
        analytics.record(classroomId, { type: 'joined', data: { userId } }).catch(onError),
      ]);
      return { value: { classroomId }, invalidation: updated?.invalidation ?? 'done' };
    },

    async analytics(teacherId, classroomId) {
      await requireOwn(teacherId, classroomId);
      const counted = await analytics.read(classroomId);
      if (counted.kind === 'known') return counted.analytics;
      throw new ProblemError(503, 'the analytics cannot be read now; ask again in a few seconds');
    },

    async end(teacherId, classroomId) {
      const { value: wasOpen, invalidation } = await changing(teacherId, {
        change: (tx) => endClassroom(tx, { id: classroomId, teacherId }),
        tell: (wasOpen) => (wasOpen ? teachers.remove(teacherId, classroomId) : Promise.resolve(true)),
      });
      if (!wasOpen) throw unknownClassroom(classroomId);
      return invalidation;
    },
  };

  /** @throws ProblemError 503 where the database is away. */
  async function decide<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await decidedByDatabase(work);
    } catch (error) {
      if (!(error instanceof StateUnavailableError)) throw error;
      onError(error.cause);
      throw new ProblemError(503, 'the database does not answer; ask again in a few seconds');
    }
  }
}

const unknownClassroom = (id: string) =>
  new ProblemError(404, `${JSON.stringify(id.slice(0, 60))} is no open session of this teacher's`);

/** The same for a code that never was, was used, and has expired: nobody learns which by guessing. */
const unknownCode = () => new ProblemError(404, 'the code admits nobody: it is unknown, used or expired');
