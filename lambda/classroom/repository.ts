import type { Queryable } from '../database/pool.ts';
import { MAX_MEMBERS } from '../stores/teacher-sessions.ts';
import type { Classroom } from './schema.ts';

interface Row {
  readonly id: string;
  readonly title: string;
  readonly teacher_id: string;
  readonly created_at: Date;
}

const COLUMNS = 'id, title, teacher_id, created_at';

export async function insertClassroom(
  tx: Queryable,
  { id, title, teacherId }: Omit<Classroom, 'createdAt'>,
): Promise<Classroom> {
  const { rows } = await tx.query<Row>(
    `INSERT INTO classroom_sessions (id, title, teacher_id) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
    [id, title, teacherId],
  );
  const [row] = rows;
  if (!row) throw new Error('classroom: an INSERT that returns a row returned none');
  return classroomOf(row);
}

/** @returns undefined for one that has ended or was never begun. */
export async function readOpenClassroom(db: Queryable, id: string): Promise<Classroom | undefined> {
  const { rows } = await db.query<Row>({
    name: 'classroom',
    text: `SELECT ${COLUMNS} FROM classroom_sessions WHERE id = $1 AND ended_at IS NULL`,
    values: [id],
  });
  return rows[0] && classroomOf(rows[0]);
}

/** The ids of a teacher's open sessions, the newest first; one more than the set in Redis takes at the most. */
export async function readOpenIds(db: Queryable, teacherId: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>({
    name: 'classrooms-open',
    text: `SELECT id FROM classroom_sessions WHERE teacher_id = $1 AND ended_at IS NULL
      ORDER BY created_at DESC, id LIMIT ${MAX_MEMBERS + 1}`,
    values: [teacherId],
  });
  return rows.map(({ id }) => id);
}

/** Ends a teacher's session. @returns whether it was open. */
export async function endClassroom(
  tx: Queryable,
  { id, teacherId }: Pick<Classroom, 'id' | 'teacherId'>,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    'UPDATE classroom_sessions SET ended_at = now() WHERE id = $1 AND teacher_id = $2 AND ended_at IS NULL',
    [id, teacherId],
  );
  return rowCount === 1;
}

export async function insertMember(
  tx: Queryable,
  { classroomId, userId }: { classroomId: string; userId: string },
): Promise<void> {
  await tx.query(
    'INSERT INTO classroom_members (classroom_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [classroomId, userId],
  );
}

const classroomOf = ({ teacher_id, created_at, ...row }: Row): Classroom => ({
  ...row,
  teacherId: teacher_id,
  createdAt: created_at.toISOString(),
});
