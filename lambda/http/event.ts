import type { LambdaEvent } from 'hono/aws-lambda';
import { ProblemError, problemHeaders, problemOf } from '../contract/problem.ts';

/** An event of an HTTP API, payload 2.0. */
export type HttpApiEvent = Extract<LambdaEvent, { version: string; rawPath: string; rawQueryString: string }>;

/** Methods that no Request can have. */
const UNSUPPORTED = new Set(['TRACE', 'TRACK', 'CONNECT']);

/**
 * Makes an event fit for a Request. An HTTP API hands over `rawPath` decoded, whatever its name says (REST APIs and
 * function URLs do not): it is encoded again, since a URL would drop some of it and read the rest as its own.
 * @throws ProblemError for what a URL or a Request cannot say.
 */
export function toRequestEvent(event: HttpApiEvent): HttpApiEvent {
  const { method } = event.requestContext.http;
  const { rawPath } = event;
  if (UNSUPPORTED.has(method)) throw new ProblemError(404, `no route for ${method} ${show(rawPath)}`);
  const segments = rawPath.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new ProblemError(400, `the path ${show(rawPath)} has a dot segment`);
  }
  if (!rawPath.isWellFormed())
    throw new ProblemError(400, `the path ${show(rawPath)} is not well-formed Unicode`);
  const encoded = { ...event, rawPath: segments.map(encodeURIComponent).join('/') };
  return method === 'GET' || method === 'HEAD' ? { ...encoded, body: null } : encoded;
}

/** The result of a request that did not get as far as a route. */
export function problemResult(problem: ProblemError) {
  return {
    statusCode: problem.status,
    headers: { ...problemHeaders(problem), 'x-backend': 'serverless' },
    body: JSON.stringify(problemOf(problem)),
    isBase64Encoded: false,
  };
}

const show = (path: string) => JSON.stringify(path.slice(0, 80));
