import * as v from 'valibot';
import { ProblemError } from '../contract/problem.ts';
import { show } from './show.ts';

const MAX_ID_LENGTH = 128;

const Id = v.pipe(
  v.string(),
  v.minLength(1, 'is empty'),
  v.maxLength(MAX_ID_LENGTH, `is longer than ${MAX_ID_LENGTH} characters`),
  v.regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'has control characters'),
  v.regex(/^[^:]*$/, 'has a ":"'),
  // API Gateway hands over the path decoded, and what follows a "?" not at all.
  v.regex(/^[^/?]*$/, 'has a "/" or a "?", which would be read as part of the URL'),
  v.check((id) => id.isWellFormed(), 'is not well-formed Unicode'),
  v.check((id) => id !== '.' && id !== '..', 'is a dot segment'),
);

/** An id that a key may be built from. @throws ProblemError 400 naming the field and the value. */
export function parseId(field: string, value: string): string {
  const parsed = v.safeParse(Id, value);
  if (parsed.success) return parsed.output;
  throw new ProblemError(400, `${field} ${show(value)} ${parsed.issues[0].message}`);
}
