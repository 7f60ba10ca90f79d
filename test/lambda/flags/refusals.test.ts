import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Asked, type FlagsApi, flagsApi } from '../../support/flags-api.ts';

const SET = '/api/config/flags';
const ADMIN_SET = '/api/admin/flags';

let api: FlagsApi;

beforeEach(async () => {
  api = await flagsApi();
  await api.clear();
});

/** Nothing of it is taken for an error of ours. */
afterEach(() => expect(api.errors).toEqual([]));

const create = (fields: object, asked: Asked = {}) =>
  api.ask(ADMIN_SET, { method: 'POST', body: fields, ...asked });
const read = (key: string, headers: Record<string, string> = {}) => api.ask(`${SET}/${key}`, { headers });

describe('a token', () => {
  const attempt = (claims: Asked['claims']) =>
    create({ key: 'beta', enabled: true }, claims === undefined ? {} : { claims });

  test.each([
    [401, null, 'authorization has no token'],
    [403, { sub: 'eve' }, 'does not grant the scope flags:write'],
    [403, { sub: 'eve', scope: 'flags:writer' }, 'does not grant the scope flags:write'],
    [403, { scope: 'flags:write' }, 'names no subject'],
  ])('is answered %s: %p', async (status, claims, detail) => {
    expect(await attempt(claims)).toMatchObject({
      status,
      body: { status, detail: expect.stringContaining(detail) },
    });
    expect((await read('beta')).status).toBe(404);
  });

  test.each([{ scope: 'flags:write' }, { scp: '[openid flags:write]' }, { scp: ['flags:write'] }])(
    'that grants the scope may write: %p',
    async (granted) => {
      expect((await attempt({ sub: 'ada', ...granted })).status).toBe(201);
    },
  );
});

describe('bad input is refused with the name of the field, before anything is changed', () => {
  const LONG = 'k'.repeat(101);

  test.each<[status: number, method: string, body: unknown, detail: string]>([
    [400, 'POST', {}, 'field "key" is missing'],
    [400, 'POST', { key: 'a' }, 'field "enabled" is missing'],
    [400, 'POST', { key: 'a:b', enabled: true }, 'field "key" "a:b" has to be letters'],
    [400, 'POST', { key: LONG, enabled: true }, 'is longer than 100 characters'],
    [400, 'POST', { key: 'a', enabled: 'yes' }, 'field "enabled" "yes" is neither true nor false'],
    [400, 'POST', { key: 'a', enabled: true, description: 1 }, 'field "description" 1 is no text'],
    [400, 'POST', { key: 'a', enabled: true, description: 'd'.repeat(1001) }, 'longer than 1000 characters'],
    [400, 'POST', { key: 'a', enabled: true, on: 1 }, 'field "on" is not known'],
    [400, 'POST', { key: 'a', enabled: true, value: '\u0000' }, '"value" has U+0000'],
    [400, 'POST', { key: 'a', enabled: true, description: '\u0000' }, 'has U+0000'],
    [400, 'POST', [], 'the body "[]" is not an object'],
    [400, 'POST', '{', 'the body "{" is not JSON'],
    [400, 'PATCH', { enabled: null }, 'field "enabled"'],
    [400, 'PATCH', { version: 3 }, 'field "version" is not known'],
    [
      413,
      'POST',
      { key: 'a', enabled: true, value: 'v'.repeat(70_000) },
      'the body is larger than 65536 bytes',
    ],
    [400, 'PATCH', [], 'the body "[]" is not an object'],
    [400, 'PATCH', null, 'the body "null" is not an object'],
  ])('%#: %s %s', async (status, method, body, detail) => {
    await create({ key: 'beta', enabled: true });
    const path = method === 'POST' ? ADMIN_SET : `${ADMIN_SET}/beta`;
    const before = await api.ask(SET);
    expect(await api.ask(path, { method, body })).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      body: { status, detail: expect.stringContaining(detail) },
    });
    expect((await api.ask(SET)).body).toEqual(before.body);
  });

  test.each([
    [400, 'a%20b', 'flagKey "a b" has to be letters'],
    [400, LONG, 'is longer than 100 characters'],
    [404, 'unknown', 'there is no flag "unknown"'],
    [400, 'beta?userId=', 'userId "" is empty'],
    [400, 'beta?userId=a:b', 'userId "a:b" has a ":"'],
    [400, 'beta?userId=a&userId=b', 'is given more than once'],
    [400, '?userId=a', 'userId is asked of one flag at a time'],
  ])('%#: %s GET', async (status, path, detail) => {
    await create({ key: 'beta', enabled: true });
    const url = path.startsWith('?') ? SET + path : `${SET}/${path}`;
    expect(await api.ask(url)).toMatchObject({ status, body: { detail: expect.stringContaining(detail) } });
  });

  test('a key that is taken, and a body of another type', async () => {
    await create({ key: 'beta', enabled: true });
    expect(await create({ key: 'beta', enabled: false })).toMatchObject({
      status: 409,
      body: { detail: 'flag "beta" exists already; PATCH it' },
    });
    expect(
      await create({ key: 'b', enabled: true }, { headers: { 'content-type': 'text/plain' } }),
    ).toMatchObject({
      status: 415,
      body: { detail: 'content-type "text/plain" is not application/json in UTF-8' },
    });
  });

  test('a field that is nested too deep to be shown', async () => {
    const nested = '['.repeat(30_000) + ']'.repeat(30_000);
    const body = `{"key":"deep","enabled":${nested}}`;
    expect(await api.ask(ADMIN_SET, { method: 'POST', body })).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('field "enabled" a list is neither true nor false') },
    });
  });

  test('a user of a flag that is made', async () => {
    const asked = { method: 'POST', body: { key: 'gamma', enabled: true } };
    expect(await api.ask(`${ADMIN_SET}?userId=ada`, asked)).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('userId is not for a new flag') },
    });
    expect(await read('gamma')).toMatchObject({ status: 404 });
  });
});
