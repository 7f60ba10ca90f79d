import { beforeEach, describe, expect, test } from '@jest/globals';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { type Asked, type FlagsApi, flagsApi } from '../../support/flags-api.ts';

const SET = '/api/config/flags';
const ADMIN_SET = '/api/admin/flags';
const PHASES: readonly Phase[] = ['legacy', 'isolated', 'dual', 'prefixed'];

let api: FlagsApi;

beforeEach(async () => {
  api = await flagsApi();
  await api.clear();
});

const create = (fields: object, asked: Asked = {}) =>
  api.ask(ADMIN_SET, { method: 'POST', body: fields, ...asked });
const patch = (key: string, body: unknown, headers: Record<string, string> = {}) =>
  api.ask(`${ADMIN_SET}/${key}`, { method: 'PATCH', body, headers });
const remove = (key: string, headers: Record<string, string> = {}) =>
  api.ask(`${ADMIN_SET}/${key}`, { method: 'DELETE', headers });
const read = (key: string, headers: Record<string, string> = {}) => api.ask(`${SET}/${key}`, { headers });

describe.each(PHASES)('in phase %s', (phase) => {
  beforeEach(async () => {
    api = await flagsApi(phase);
  });

  test('a flag is created, read from the cache, changed and deleted, and its set with it', async () => {
    expect(await create({ key: 'dark-mode', description: 'Night', enabled: false })).toMatchObject({
      status: 201,
      headers: { 'x-invalidation': 'done', location: '/api/config/flags/dark-mode' },
      body: { key: 'dark-mode', description: 'Night', enabled: false, updatedBy: 'ada' },
    });
    expect(await read('dark-mode')).toMatchObject({ status: 200, headers: { 'x-cache': 'miss' } });
    expect(await read('dark-mode')).toMatchObject({
      headers: { 'x-cache': 'hit', 'cache-control': 'no-cache' },
      body: { enabled: false },
    });
    expect((await api.ask(SET)).body).toMatchObject({ environment: 'test', flags: [{ key: 'dark-mode' }] });
    expect((await api.ask(SET)).headers['x-cache']).toBe('hit');

    expect(await patch('dark-mode', { enabled: true })).toMatchObject({
      status: 200,
      headers: { 'x-invalidation': 'done' },
      body: { enabled: true, description: 'Night' },
    });
    expect((await read('dark-mode')).body).toMatchObject({ enabled: true });
    expect((await api.ask(SET)).body).toMatchObject({ flags: [{ enabled: true }] });

    expect(await remove('dark-mode')).toMatchObject({ status: 204, headers: { 'x-invalidation': 'done' } });
    expect(await read('dark-mode')).toMatchObject({
      status: 404,
      body: { detail: 'there is no flag "dark-mode"' },
    });
    expect((await api.ask(SET)).body).toMatchObject({ flags: [] });
  });

  test('what differs for one user is seen by that user alone, over the flag as it is now', async () => {
    await create({ key: 'beta', enabled: false, value: { color: 'red', size: 1 } });
    expect((await read('beta?userId=u1')).body).toMatchObject({ enabled: false });
    expect(await patch('beta?userId=u1', { enabled: true })).toMatchObject({
      status: 200,
      body: { enabled: true, value: { color: 'red', size: 1 }, overridden: true },
    });
    expect((await read('beta?userId=u1')).body).toMatchObject({ enabled: true, overridden: true });
    expect((await read('beta?userId=u2')).body).not.toHaveProperty('overridden');
    expect((await read('beta')).body).toMatchObject({ enabled: false });

    await patch('beta', { description: 'for some' });
    expect((await read('beta?userId=u1')).body).toMatchObject({ enabled: true, description: 'for some' });

    expect((await remove('beta?userId=u1')).status).toBe(204);
    expect((await read('beta?userId=u1')).body).toMatchObject({ enabled: false });
    expect(await remove('beta?userId=u1')).toMatchObject({
      status: 404,
      body: { detail: 'user "u1" has no override of flag "beta"' },
    });
  });

  test('a flag that is made again has nothing of what was deleted', async () => {
    const first = await create({ key: 'beta', enabled: true });
    await patch('beta?userId=u1', { enabled: false });
    expect((await read('beta?userId=u1')).body).toMatchObject({ enabled: false });
    await remove('beta');
    const second = await create({ key: 'beta', enabled: true });
    expect((await read('beta?userId=u1')).body).toMatchObject({ enabled: true });
    const versionOf = ({ body }: { body: unknown }) => (body as { version: number }).version;
    expect(versionOf(second)).toBeGreaterThan(versionOf(first));
  });
});

describe('what Redis holds', () => {
  test('is the set, the flag, and of a user the override or its absence, for 300 s', async () => {
    await create({ key: 'beta', enabled: false });
    await patch('beta?userId=u1', { enabled: true });
    await api.ask(SET);
    await Promise.all([read('beta?userId=u1'), read('beta?userId=u2')]);
    const { locate } = createKeyspace({ phase: 'isolated', env: 'test' });
    const stored = async (key: string) => {
      const { home } = locate(key);
      const [value, ttl] = await Promise.all([api.redis.send(['GET', home]), api.redis.send(['TTL', home])]);
      expect(Number(ttl)).toBeGreaterThan(260);
      expect(Number(ttl)).toBeLessThanOrEqual(300);
      return JSON.parse(String(value));
    };
    expect(await stored('feature_flags:test')).toMatchObject({ flags: [{ key: 'beta' }] });
    expect(await stored('flag:beta')).toMatchObject({ key: 'beta', enabled: false });
    expect(await stored('flag:beta:user:u1')).toMatchObject({ enabled: true, updatedBy: 'ada' });
    expect(await stored('flag:beta:user:u1')).not.toHaveProperty('key');
    expect(await stored('flag:beta:user:u2')).toBeNull();
    expect(await api.redis.send(['DBSIZE'])).toBe(4);
  });

  test.each([
    ['a PATCH makes two keys outdated', 'beta', ['feature_flags:test', 'flag:beta']],
    ['that of an override one', 'beta?userId=u1', ['flag:beta:user:u1']],
  ])('%s', async (_, target, names) => {
    await create({ key: 'beta', enabled: false });
    await api.database.query('TRUNCATE cutover_outbox');
    await patch(target, { enabled: true });
    const { rows } = await api.database.query<{ name: string }>(
      'SELECT name FROM cutover_outbox ORDER BY name',
    );
    expect(rows.map(({ name }) => name)).toEqual(names);
  });

  test('a change by hand is in the outbox, and has a version of its own', async () => {
    await create({ key: 'beta', enabled: false });
    const before = (await read('beta')).headers['etag'];
    await api.database.query('TRUNCATE cutover_outbox');
    await api.database.query("UPDATE feature_flags SET enabled = true WHERE flag_key = 'beta'");
    const { rows } = await api.database.query<{ name: string }>(
      'SELECT name FROM cutover_outbox ORDER BY name',
    );
    expect(rows.map(({ name }) => name)).toEqual(['feature_flags:test', 'flag:beta']);
    await api.redis.send(['FLUSHALL']);
    const after = await read('beta');
    expect(after.body).toMatchObject({ enabled: true });
    expect(after.headers['etag']).not.toBe(before);
  });
});

describe('a merge patch', () => {
  test('removes what is null, merges objects, and leaves the rest', async () => {
    await create({ key: 'beta', description: 'B', enabled: true, value: { a: 1, b: { c: 2, d: 3 } } });
    const patched = await patch('beta', { description: null, value: { a: null, b: { c: 4 } } });
    expect(patched.body).toMatchObject({ description: '', enabled: true, value: { b: { c: 4, d: 3 } } });
    expect((await patch('beta', { value: null })).body).not.toHaveProperty('value');
    expect((await patch('beta', { value: [1] })).body).toMatchObject({ value: [1] });
  });

  test('of an override takes a field back', async () => {
    await create({ key: 'beta', enabled: false, value: 'all' });
    await patch('beta?userId=u1', { enabled: true, value: 'one' });
    expect((await patch('beta?userId=u1', { enabled: null })).body).toMatchObject({
      enabled: false,
      value: 'one',
    });
  });

  test('may come as application/merge-patch+json', async () => {
    await create({ key: 'beta', enabled: false });
    const type = { 'content-type': 'application/merge-patch+json' };
    expect((await patch('beta', { enabled: true }, type)).status).toBe(200);
  });

  test('cannot let a value grow without end', async () => {
    await create({ key: 'beta', enabled: false, value: { a: 'x'.repeat(40_000) } });
    expect(await patch('beta', { value: { b: 'x'.repeat(40_000) } })).toMatchObject({
      status: 413,
      body: { detail: 'value would have 80015 bytes, and 65536 are kept' },
    });
    expect((await read('beta')).body).not.toHaveProperty('value.b');
  });
});

describe('a reader that has seen it before', () => {
  test.each(['', '/beta', '/beta?userId=u1'])('%s: is told 304 until it changes', async (path) => {
    await create({ key: 'beta', enabled: false });
    const { headers } = await api.ask(SET + path);
    const again = { headers: { 'if-none-match': `"0", W/${headers['etag']}` } };
    expect(await api.ask(SET + path, again)).toMatchObject({
      status: 304,
      body: undefined,
      headers: { etag: headers['etag'], 'x-cache': 'hit', 'cache-control': 'no-cache' },
    });
    await patch('beta', { enabled: true });
    expect((await api.ask(SET + path, again)).status).toBe(200);
  });

  test('a change of the override is one, too', async () => {
    await create({ key: 'beta', enabled: false });
    const { headers } = await read('beta?userId=u1');
    await patch('beta?userId=u1', { enabled: true });
    expect((await read('beta?userId=u1', { 'if-none-match': headers['etag'] ?? '' })).status).toBe(200);
  });
});

describe('a writer that has seen another version', () => {
  const OUTDATED = { status: 412, body: { detail: expect.stringContaining('if-match') } };

  test.each([
    ['PATCH', 'beta', { enabled: true }],
    ['DELETE', 'beta', undefined],
    ['PATCH', 'beta?userId=u1', { enabled: true }],
    ['DELETE', 'beta?userId=u1', undefined],
  ])('%s %s is refused, and nothing has changed', async (method, target, body) => {
    await create({ key: 'beta', enabled: false });
    await patch('beta?userId=u1', { value: 1 });
    const seen = (await read(target)).headers['etag'] ?? '';
    await patch(target, { value: 2 });
    const before = await read(target);
    const ask = (ifMatch: string) =>
      api.ask(`${ADMIN_SET}/${target}`, { method, body, headers: { 'if-match': ifMatch } });
    expect(await ask(seen)).toMatchObject(OUTDATED);
    expect(await ask(`W/${before.headers['etag']}`)).toMatchObject(OUTDATED);
    expect((await read(target)).body).toEqual(before.body);
    expect((await ask(`"0", ${before.headers['etag']}`)).status).toBeLessThan(300);
  });

  test('any version will do for *, and none where the flag is gone', async () => {
    await create({ key: 'beta', enabled: false });
    expect((await patch('beta', { enabled: true }, { 'if-match': '*' })).status).toBe(200);
    expect((await patch('gamma', { enabled: true }, { 'if-match': '*' })).status).toBe(404);
  });
});

test('what another backend has stored in another shape is a miss', async () => {
  await create({ key: 'beta', enabled: true });
  for (const stored of ['{"on":true}', 'false', '{"key":"beta","enabled":"yes","version":1}']) {
    await api.redis.send(['SET', 'v2:flag:beta', stored]);
    await api.redis.send(['SET', 'v2:feature_flags:test', `{"flags":[${stored}]}`]);
    expect(await read('beta')).toMatchObject({ headers: { 'x-cache': 'miss' }, body: { enabled: true } });
    expect(await api.ask(SET)).toMatchObject({
      headers: { 'x-cache': 'miss' },
      body: { flags: [{ key: 'beta', enabled: true }] },
    });
  }
});
