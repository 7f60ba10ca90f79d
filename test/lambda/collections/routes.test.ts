import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { COLLECTIONS } from '../../../lambda/contract/families.ts';
import { BACKENDS, type BackendName, type TwoBackends, twoBackends } from '../../support/backends.ts';
import { ask, type Question } from '../../support/http.ts';

let both: TwoBackends;
let user = '';
let users = 0;

beforeAll(async () => {
  both = await twoBackends();
});

beforeEach(() => {
  users += 1;
  user = `user-${users}`;
});

/** Sends a request and reads what a client sees of the answer. */
async function client(backend: BackendName, question: Question) {
  const { status, headers, text } = await ask(both.url[backend], question);
  const contentType = headers['content-type']?.split(';')[0];
  return { status, contentType, headers, body: text === '' ? undefined : JSON.parse(text) };
}

const list = (backend: BackendName, collection = 'mocs') =>
  client(backend, { path: `/api/users/${user}/${collection}` });

const put = (backend: BackendName, item: string, data: object, collection = 'mocs') =>
  client(backend, {
    method: 'PUT',
    path: `/api/users/${user}/${collection}/${item}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ data }),
  });

const remove = (backend: BackendName, item: string) =>
  client(backend, { method: 'DELETE', path: `/api/users/${user}/mocs/${item}` });

describe.each(BACKENDS)('the %s backend', (backend) => {
  test('answers an unknown user with an empty list of version 0', async () => {
    expect(await list(backend)).toMatchObject({
      status: 200,
      contentType: 'application/json',
      headers: { 'x-backend': backend, 'x-cache': 'miss' },
      body: { items: [], version: 0 },
    });
  });

  test('stores, lists in the order of the ids, replaces and deletes, counting the versions', async () => {
    expect(await put(backend, 'b', { title: 'B', nested: { deep: [1, null, 'ü'] } })).toMatchObject({
      status: 200,
      contentType: 'application/json',
      headers: { 'x-backend': backend, 'x-invalidation': 'done' },
      body: { id: 'b', version: 1 },
    });
    expect((await put(backend, 'a', {})).body).toEqual({ id: 'a', version: 2 });
    expect((await put(backend, 'a', { title: 'A' })).body).toEqual({ id: 'a', version: 3 });
    expect((await list(backend)).body).toEqual({
      items: [
        { id: 'a', version: 3, data: { title: 'A' } },
        { id: 'b', version: 1, data: { title: 'B', nested: { deep: [1, null, 'ü'] } } },
      ],
      version: 3,
    });
    expect(await remove(backend, 'b')).toMatchObject({
      status: 200,
      headers: { 'x-backend': backend, 'x-invalidation': 'done' },
      body: { version: 4 },
    });
    expect((await list(backend)).body).toEqual({
      items: [{ id: 'a', version: 3, data: { title: 'A' } }],
      version: 4,
    });
  });

  test('reads the second time from the cache, and a write of another list leaves it there', async () => {
    const outcomes = [];
    for (const step of ['read', 'read', 'write other', 'read', 'write', 'read', 'read']) {
      if (step === 'read') outcomes.push((await list(backend)).headers['x-cache']);
      else await put(backend, 'a', {}, step === 'write' ? 'mocs' : 'gallery');
    }
    expect(outcomes).toEqual(['miss', 'hit', 'hit', 'miss', 'hit']);
  });

  test('keeps each collection apart', async () => {
    for (const [index, collection] of COLLECTIONS.entries()) {
      for (let count = 0; count <= index; count += 1) await put(backend, `item-${count}`, {}, collection);
    }
    const versions = await Promise.all(
      COLLECTIONS.map(async (name) => (await list(backend, name)).body.version),
    );
    expect(versions).toEqual([1, 2, 3, 4]);
  });

  test('is told of a delete of nothing with 404, and the list does not change', async () => {
    await put(backend, 'a', {});
    const { status, body } = await remove(backend, 'never');
    expect({ status, detail: body.detail }).toEqual({ status: 404, detail: 'itemId "never" is not in mocs' });
    expect((await list(backend)).body.version).toBe(1);
  });

  test('takes an id that needs encoding, back and forth', async () => {
    const id = 'a b c%zz%41#ü+&';
    expect((await put(backend, encodeURIComponent(id), {})).body).toEqual({ id, version: 1 });
    expect((await list(backend)).body.items).toEqual([{ id, version: 1, data: {} }]);
    expect((await remove(backend, encodeURIComponent(id))).body).toEqual({ version: 2 });
  });

  test('answers HEAD like GET, without a body', async () => {
    await put(backend, 'a', {});
    const answer = await client(backend, { method: 'HEAD', path: `/api/users/${user}/mocs` });
    expect(answer).toMatchObject({ status: 200, contentType: 'application/json', body: undefined });
  });

  test('says that it is alive, and that its servers answer', async () => {
    expect(await client(backend, { path: '/health' })).toMatchObject({
      status: 200,
      body: { status: 'alive' },
    });
    const up = { status: 'up', latencyMs: expect.any(Number) };
    expect(await client(backend, { path: '/ready' })).toMatchObject({
      status: 200,
      headers: { 'x-backend': backend },
      body: { status: 'ready', checks: { redis: up, postgres: up } },
    });
  });
});

describe('the two together', () => {
  test('each reads at once what the other has written, and then from its own cache', async () => {
    const seen = [];
    for (const writer of BACKENDS) {
      for (const reader of BACKENDS) await list(reader);
      const { version } = (await put(writer, 'a', { writer })).body;
      for (const reader of BACKENDS) {
        const answer = await list(reader);
        const again = await list(reader);
        seen.push([
          answer.body.version - version,
          answer.body.items[0].data.writer,
          again.headers['x-cache'],
        ]);
      }
    }
    expect(seen).toEqual([
      [0, 'express', 'hit'],
      [0, 'express', 'hit'],
      [0, 'serverless', 'hit'],
      [0, 'serverless', 'hit'],
    ]);
  });

  test('each fills its own key for 300 seconds, less a tenth at the most', async () => {
    for (const backend of BACKENDS) await list(backend);
    const keys = [`mocs:user:${user}:list`, `v2:mocs:user:${user}:list`];
    const ttls = await Promise.all(keys.map((key) => both.redis.send(['TTL', key])));
    for (const ttl of ttls) {
      expect(ttl).toBeGreaterThan(265);
      expect(ttl).toBeLessThanOrEqual(300);
    }
  });
});
