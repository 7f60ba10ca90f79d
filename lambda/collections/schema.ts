import * as v from 'valibot';
import { COLLECTIONS, type Collection } from '../contract/families.ts';
import { ProblemError } from '../contract/problem.ts';

/** A JSON object, as a client stores it. */
export type ItemData = Readonly<Record<string, unknown>>;

export interface Item {
  readonly id: string;
  readonly version: number;
  readonly data: ItemData;
}

/** A user's collection; `version` counts its changes. */
export interface ItemList {
  readonly items: readonly Item[];
  readonly version: number;
}

/** Whose collection a request is about. */
export interface Owner {
  readonly userId: string;
  readonly collection: Collection;
}

export const MAX_BODY_BYTES = 64 * 1024;
const MAX_ID_LENGTH = 128;
const MAX_DEPTH = 32;

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

const Body = v.strictObject({
  data: v.custom<ItemData>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
});

/** The key under which a collection's list is cached, by either backend. */
export const listKey = ({ userId, collection }: Owner): string => `${collection}:user:${userId}:list`;

/** @throws ProblemError 404 for an unknown collection, 400 for a user id that no key may be built from. */
export function parseOwner({ userId, collection }: { userId: string; collection: string }): Owner {
  const known = COLLECTIONS.find((name) => name === collection);
  if (!known)
    throw new ProblemError(404, `collection ${show(collection)} is none of ${COLLECTIONS.join(', ')}`);
  return { userId: parseId('userId', userId), collection: known };
}

/** @throws ProblemError 400 naming the field and the value. */
export function parseId(field: 'userId' | 'itemId', value: string): string {
  const parsed = v.safeParse(Id, value);
  if (parsed.success) return parsed.output;
  throw new ProblemError(400, `${field} ${show(value)} ${parsed.issues[0].message}`);
}

/** What the headers of a request say about its body. */
export interface BodyHeaders {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/** @throws ProblemError 415 unless the body is JSON in UTF-8, as it is. */
export function requireJson({ contentType = '', contentEncoding = 'identity' }: BodyHeaders): void {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (type !== 'application/json' || (charset && !/^charset="?utf-8"?$/.test(charset))) {
    throw new ProblemError(415, `content-type ${show(contentType)} is not application/json in UTF-8`);
  }
  if (contentEncoding !== 'identity') {
    throw new ProblemError(
      415,
      `content-encoding ${show(contentEncoding)} is not served; send the body as it is`,
    );
  }
}

/** @throws ProblemError 413. */
export function tooLarge(): never {
  throw new ProblemError(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
}

/**
 * Reads the body of a PUT: `{ "data": object }` and nothing else.
 * @throws ProblemError 413 or 400 naming the field.
 */
export function parseBody(text: string): ItemData {
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) tooLarge();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ProblemError(400, `the body ${show(text)} is not JSON`);
  }
  const parsed = v.safeParse(Body, json);
  if (!parsed.success) {
    const field = v.getDotPath(parsed.issues[0]);
    const what = field ? `${show(field)} of the body` : 'the body';
    throw new ProblemError(400, `${what} ${show(text)} does not fit { "data": object }`);
  }
  requireStorable(parsed.output.data);
  return parsed.output.data;
}

/** What JSON allows and PostgreSQL or a cache cannot keep is refused here, not by a 500 there. */
function requireStorable(data: ItemData): void {
  const pending: { value: unknown; path: string; depth: number }[] = [
    { value: data, path: 'data', depth: 1 },
  ];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, path, depth } = next;
    const complain = (what: string) => {
      throw new ProblemError(400, `${show(path)} ${what}`);
    };
    if (typeof value === 'number' && !Number.isFinite(value)) complain('is a number too large to keep');
    if (typeof value === 'string' && !isText(value)) complain('has U+0000 or half a surrogate pair');
    if (value === null || typeof value !== 'object') continue;
    if (depth > MAX_DEPTH) complain(`is nested more than ${MAX_DEPTH} deep`);
    for (const [name, child] of Object.entries(value)) {
      if (!isText(name)) complain('has a field name with U+0000 or half a surrogate pair');
      pending.push({ value: child, path: `${path}.${name}`, depth: depth + 1 });
    }
  }
}

const isText = (text: string) => text.isWellFormed() && !text.includes('\u0000');

/** A value in a message: quoted, escaped, and not longer than a line. */
const show = (value: string) => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
