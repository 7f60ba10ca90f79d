import { describe, expect, test } from '@jest/globals';
import { ProblemError } from '../../../lambda/contract/problem.ts';
import { type HttpApiEvent, problemResult, toRequestEvent } from '../../../lambda/http/event.ts';

const event = (rawPath: string, method = 'GET', body: string | null = null) =>
  ({
    version: '2.0',
    rawPath,
    rawQueryString: '',
    body,
    requestContext: { http: { method } },
  }) as HttpApiEvent;

const refusal = (...args: Parameters<typeof event>) => {
  try {
    toRequestEvent(event(...args));
  } catch (error) {
    return error instanceof ProblemError ? [error.status, error.message] : error;
  }
  return undefined;
};

describe('the path, which an HTTP API hands over decoded', () => {
  test.each([
    ['/api/users/a b/mocs', '/api/users/a%20b/mocs'],
    ['/api/users/a#b\\c/mocs', '/api/users/a%23b%5Cc/mocs'],
    ['/api/users/%41/mocs', '/api/users/%2541/mocs'],
    ['/api/users/a\n\tb/mocs', '/api/users/a%0A%09b/mocs'],
    ['//', '//'],
  ])('%j is encoded again', (rawPath, encoded) => {
    expect(toRequestEvent(event(rawPath)).rawPath).toBe(encoded);
    expect(decodeURIComponent(new URL(`https://localhost${encoded}`).pathname)).toBe(rawPath);
  });

  test.each(['/api/users/me/../victim/mocs', '/api/users/./mocs', '/..'])(
    '%j would become another one',
    (path) => {
      expect(new URL(`https://localhost${path}`).pathname).not.toBe(path);
      expect(refusal(path)).toEqual([400, expect.stringContaining('dot segment')]);
    },
  );

  test('that is no text is refused', () => {
    expect(refusal('/api/users/\ud800/mocs')).toEqual([400, expect.stringContaining('well-formed')]);
  });
});

test.each(['TRACE', 'TRACK', 'CONNECT'])('%s, which no Request can have, is no route', (method) => {
  expect(refusal('/', method)).toEqual([404, `no route for ${method} "/"`]);
});

test.each(['GET', 'HEAD'])(
  'the body of a %s, which no Request can have, is dropped; that of others is not',
  (method) => {
    expect(toRequestEvent(event('/', method, 'body')).body).toBeNull();
    expect(toRequestEvent(event('/', 'PUT', 'body')).body).toBe('body');
  },
);

test('a problem leaves as a document', () => {
  const result = problemResult(new ProblemError(404, 'no route'));
  expect(result).toMatchObject({ statusCode: 404, headers: { 'content-type': 'application/problem+json' } });
  expect(JSON.parse(result.body)).toMatchObject({ status: 404, detail: 'no route' });
});
