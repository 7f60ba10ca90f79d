import * as v from 'valibot';
import { ProblemError } from '../contract/problem.ts';
import { parseId } from '../request/id.ts';
import { parseJson, requireStorable } from '../request/json-body.ts';
import { readCode } from '../stores/access-code.ts';
import { ROLES, type Role } from '../stores/session-record.ts';

/** A lesson that students join by a code. */
export interface Classroom {
  readonly id: string;
  readonly title: string;
  readonly teacherId: string;
  readonly createdAt: string;
}

/** Who logs in. */
export interface User {
  readonly userId: string;
  readonly role: Role;
}

const MAX_TITLE_LENGTH = 200;

const Claims = v.object({ sub: v.string(), role: v.picklist(ROLES) });
const NewClassroom = v.strictObject({
  title: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TITLE_LENGTH)),
});
const Join = v.strictObject({ code: v.string() });

/** Who a verified token names. @throws ProblemError 403 for one that does not say, 400 for a `sub` that no key may be built from. */
export function parseClaims(claims: Readonly<Record<string, unknown>>): User {
  const parsed = v.safeParse(Claims, claims);
  if (!parsed.success) {
    throw new ProblemError(
      403,
      `the token does not say who logs in: sub, and role, one of ${ROLES.join(', ')}`,
    );
  }
  const { sub, role } = parsed.output;
  return { userId: parseId('sub', sub), role };
}

/** Reads the body that makes a classroom session. @throws ProblemError 413 or 400 naming the field. */
export function parseClassroom(text: string): { readonly title: string } {
  const fields = parse(NewClassroom, text);
  requireStorable(fields.title, 'title');
  return fields;
}

/** Reads the body of a join. What was sent as a code is never shown. @throws ProblemError 413 or 400. */
export function parseJoin(text: string): string {
  const code = readCode(parse(Join, text).code);
  if (code !== undefined) return code;
  throw new ProblemError(400, 'code is no access code; it is ten letters and digits as 7K2QX-W9MBD');
}

/** The message names a field and says what is wrong with it, and shows nothing of the body: that may be a secret. */
function parse<T>(schema: v.GenericSchema<unknown, T>, text: string): T {
  const parsed = v.safeParse(schema, json(text));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  const known = field !== null && Object.hasOwn(FIELDS, field);
  throw new ProblemError(
    400,
    known ? `${field} ${FIELDS[field]}` : 'the body has other fields than it may, or is no object',
  );
}

const FIELDS: Readonly<Record<string, string>> = {
  title: `has to be a text of 1 to ${MAX_TITLE_LENGTH} characters`,
  code: 'has to be a text',
};

function json(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    // Its own message shows the body.
    if (error instanceof ProblemError && error.status === 400)
      throw new ProblemError(400, 'the body is not JSON');
    throw error;
  }
}
