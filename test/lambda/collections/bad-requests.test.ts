/** What neither backend may accept: both answer the same status and a problem document, and change nothing. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { BACKENDS, type TwoBackends, twoBackends } from '../../support/backends.ts';
import { ask, type Question } from '../../support/http.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const GOOD_BODY = '{"data":{"a":1}}';
const KIB = 1024;

let both: TwoBackends;

beforeAll(async () => {
  both = await twoBackends();
});

interface BadRequest extends Question {
  readonly status: number;
  /** What the detail has to say, at both backends. */
  readonly says: string;
}

/** A user id or an item id in its %-encoding, and what is said of it. */
const BAD_IDS: readonly (readonly [encoded: string, says: string])[] = [
  ['a%0Ab', '"a\\nb" has control characters'],
  ['a%00b', '"a\\u0000b" has control characters'],
  ['a%7F', '"a\u007f" has control characters'],
  ['a%C2%85', '"a\u0085" has control characters'],
  ['a%3Ab', '"a:b" has a ":"'],
  ['a:b', '"a:b" has a ":"'],
  ['x'.repeat(129), `"${'x'.repeat(60)}..." is longer than 128 characters`],
];

/** Encodings that stand for no text at all. */
const BROKEN_ENCODINGS = ['%zz', 'a%', 'a%4', '%C3%28', '%ED%A0%80', '%FF'];

const put = (body: Question['body'], more: Partial<BadRequest>): BadRequest => ({
  method: 'PUT',
  path: '/api/users/u/mocs/1',
  headers: JSON_TYPE,
  status: 400,
  says: 'is not JSON',
  ...(body !== undefined && { body }),
  ...more,
});

const CASES: readonly BadRequest[] = [
  ...BAD_IDS.flatMap(([id, says]): BadRequest[] => [
    { path: `/api/users/${id}/mocs`, status: 400, says: `userId ${says}` },
    { path: `/api/users/u/mocs/${id}`, method: 'DELETE', status: 400, says: `itemId ${says}` },
    put(GOOD_BODY, { path: `/api/users/u/mocs/${id}`, says: `itemId ${says}` }),
  ]),
  ...BROKEN_ENCODINGS.flatMap((id): BadRequest[] => [
    { path: `/api/users/${id}/mocs`, status: 400, says: '' },
    put(GOOD_BODY, { path: `/api/users/u/mocs/${id}`, says: '' }),
  ]),

  { path: '/api/users/u/nonsense', status: 404, says: 'collection "nonsense" is none of mocs, gallery' },
  { path: '/api/users/u/constructor', status: 404, says: 'collection "constructor"' },
  { path: '/api/users/u/MOCS', status: 404, says: 'collection "MOCS"' },
  put(GOOD_BODY, { path: '/api/users/u/nonsense/1', status: 404, says: 'collection "nonsense"' }),
  { path: '/api/users/u/mocs/absent', method: 'DELETE', status: 404, says: 'itemId "absent" is not in mocs' },

  { path: '/', status: 404, says: 'no route for GET "/"' },
  { path: '/api/users/u', status: 404, says: 'no route for GET "/api/users/u"' },
  { path: '/api/users/u/mocs/1', status: 404, says: 'no route for GET "/api/users/u/mocs/1"' },
  { path: '/api/users//mocs', status: 404, says: 'no route' },
  { path: '/api//users/u/mocs', status: 404, says: 'no route' },
  { path: '/api/users/u/mocs/', status: 404, says: 'no route' },
  { path: '/API/users/u/mocs', status: 404, says: 'no route' },
  ...['POST', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE'].map(
    (method): BadRequest => ({
      method,
      path: '/api/users/u/mocs',
      status: 404,
      says: `no route for ${method} "/api/users/u/mocs"`,
    }),
  ),
  put(GOOD_BODY, { path: '/api/users/u/mocs', status: 404, says: 'no route for PUT' }),

  put(GOOD_BODY, { headers: {}, status: 415, says: 'content-type "" is not application/json' }),
  put(GOOD_BODY, {
    headers: { 'content-type': 'text/plain' },
    status: 415,
    says: 'content-type "text/plain"',
  }),
  put(GOOD_BODY, {
    headers: { 'content-type': 'application/json5' },
    status: 415,
    says: 'application/json5',
  }),
  put(GOOD_BODY, { headers: { 'content-type': 'application/json; charset=utf-16' }, status: 415, says: '' }),
  put(GOOD_BODY, {
    headers: { 'content-type': 'application/json; charset=nonsense' },
    status: 415,
    says: '',
  }),
  put(GOOD_BODY, { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, status: 415, says: '' }),
  put(GOOD_BODY, { headers: { ...JSON_TYPE, 'content-encoding': 'nonsense' }, status: 415, says: '' }),

  put(undefined, { says: 'the body "" is not JSON' }),
  put('nonsense', { says: 'the body "nonsense" is not JSON' }),
  put('[]', { says: 'does not fit { "data": object }' }),
  put('null', { says: 'does not fit { "data": object }' }),
  put('{}', { says: '"data" of the body "{}" does not fit' }),
  put('{"data":[]}', { says: '"data" of the body' }),
  put('{"data":{},"more":1}', { says: '"more" of the body' }),
  put('{"data":{"a":"\\u0000"}}', { says: '"data.a" has U+0000' }),
  put('{"data":{"a":1e400}}', { says: '"data.a" is a number too large' }),
  put('x'.repeat(65 * KIB), { status: 413, says: 'the body is larger than 65536 bytes' }),
  put('x'.repeat(65 * KIB), {
    headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
    status: 413,
    says: 'the body is larger than 65536 bytes',
  }),
];

const nameOf = ({ method = 'GET', path, headers = {}, body = '', status }: BadRequest) =>
  `${status}: ${method} ${path.slice(0, 40)} ${Object.values(headers).join(' ')} ${String(body).slice(0, 25)}`;

const cases = CASES.map((bad) => [nameOf(bad), bad] as const);

describe.each(BACKENDS)('the %s backend', (backend) => {
  test.each(cases)('%s', async (_name, bad) => {
    const { status, headers, text } = await ask(both.url[backend], bad);
    expect({ status, type: headers['content-type']?.split(';')[0], by: headers['x-backend'] }).toEqual({
      status: bad.status,
      type: 'application/problem+json',
      by: backend,
    });
    const problem = JSON.parse(text);
    expect(Object.keys(problem).sort()).toEqual(['detail', 'status', 'title', 'type']);
    expect(problem).toMatchObject({ type: 'about:blank', status: bad.status });
    expect(problem.detail).toContain(bad.says);
  });

  test('builds no key from them, and stores no row', async () => {
    const keys = (await both.redis.send(['KEYS', '*'])) as string[];
    expect(keys.filter((key) => !/^cutover:(env|replayed|instance:)/.test(key))).toEqual([]);
    const { rows } = await both.database.query('SELECT user_id, item_id FROM mocs');
    expect(rows).toEqual([]);
  });
});

// A dot segment is taken out of the path by every URL parser on the way: no such id can be served by both.
test.each(['.', '..', '%2E', '%2e%2e', '.%2e'])(
  'the id %s is refused by both, and stores nothing',
  async (id) => {
    const questions = [
      { path: `/api/users/${id}/mocs` },
      put(GOOD_BODY, { path: `/api/users/u/mocs/${id}` }),
    ];
    for (const question of questions) {
      for (const backend of BACKENDS) {
        const { status } = await ask(both.url[backend], question);
        expect([backend, status >= 400 && status < 500]).toEqual([backend, true]);
      }
    }
    const { rowCount } = await both.database.query('SELECT FROM mocs');
    expect(rowCount).toBe(0);
  },
);

test.each(BACKENDS)('a body of GET does not matter to the %s backend', async (backend) => {
  const { status, headers } = await ask(both.url[backend], {
    path: '/api/users/with-body/mocs',
    headers: JSON_TYPE,
    body: '{}',
  });
  expect({ status, by: headers['x-backend'] }).toEqual({ status: 200, by: backend });
});
