import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ProblemError } from '../contract/problem.ts';
import { show } from './show.ts';

export const MAX_BODY_BYTES = 64 * 1024;
const MAX_DEPTH = 32;

const JSON_TYPES = ['application/json'];

/** Refuses a body that is too large before it is read. */
export const limitBody = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge });

/**
 * The body of a request that says it is JSON.
 * @param types the content types that are served.
 * @throws ProblemError 415 or 413.
 */
export async function readText({ req }: Context, types = JSON_TYPES): Promise<string> {
  const [contentType, contentEncoding] = [req.header('content-type'), req.header('content-encoding')];
  requireJson({ contentType, contentEncoding }, types);
  return req.text();
}

/** What the headers of a request say about its body. */
export interface BodyHeaders {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/** @throws ProblemError 415 unless the body is JSON in UTF-8, as it is. */
export function requireJson(
  { contentType = '', contentEncoding = 'identity' }: BodyHeaders,
  types: readonly string[] = JSON_TYPES,
): void {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (!types.includes(type) || (charset && !/^charset="?utf-8"?$/.test(charset))) {
    throw new ProblemError(415, `content-type ${show(contentType)} is not ${types.join(' or ')} in UTF-8`);
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

/** @throws ProblemError 413, or 400 for what is not JSON. */
export function parseJson(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) tooLarge();
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError(400, `the body ${show(text)} is not JSON`);
  }
}

/**
 * What JSON allows and PostgreSQL or a cache cannot keep is refused here, not by a 500 there.
 * @param name of the value in the body.
 * @throws ProblemError 400 naming the field.
 */
export function requireStorable(value: unknown, name: string): void {
  const pending: { value: unknown; path: string; depth: number }[] = [{ value, path: name, depth: 1 }];
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
