import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ItemList } from '../../lambda/collections/schema.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createHost } from '../../rehearsal/host/host.ts';
import { freePort } from '../../rehearsal/servers/process.ts';
import type { RedisServer } from '../../rehearsal/servers/redis.ts';
import { wiredApi } from '../support/deployed.ts';
import { ask, listen } from '../support/http.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

/** No answer of the API is late or a 5xx because Redis is away, and none is wrong. */

/** Twice the 250 ms that a read may spend on Redis, and what the query and a busy machine take. */
const DEADLINE_MS = 1000;

let databaseUrl: string;
/** Accepts connections and never says anything: as far as a client can tell, a frozen server at its start. */
const silent = createServer();
const accepted: Socket[] = [];

beforeAll(async () => {
  ({ url: databaseUrl } = await freshDatabase());
  await migrate(databaseUrl);
  silent.on('connection', (socket) => accepted.push(socket));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
afterAll(() => {
  for (const socket of accepted) socket.destroy();
  silent.close();
});

const serve = async (redisUrl: string) =>
  listen(
    createHost(
      await wiredApi({
        NODE_ENV: 'test',
        MIGRATION_MODE: 'true',
        DATABASE_URL: databaseUrl,
        REDIS_URL: redisUrl,
      }),
    ),
  );

let users = 0;
/** A user nobody has read yet, with one item. */
async function newList(url: string): Promise<{ path: string; acknowledgement: unknown }> {
  users += 1;
  const path = `/api/users/away-${users}/mocs`;
  const headers = { 'content-type': 'application/json' };
  const answer = await ask(url, { method: 'PUT', path: `${path}/a`, headers, body: '{"data":{"n":1}}' });
  expect(answer.status).toBe(200);
  return { path, acknowledgement: answer.headers['x-invalidation'] };
}

async function read(url: string, path: string) {
  const begin = performance.now();
  const { status, headers, text } = await ask(url, { path });
  const tookMs = performance.now() - begin;
  return { status, outcome: headers['x-cache'], list: JSON.parse(text) as ItemList, tookMs };
}

async function expectServed(url: string, path: string, times = 50) {
  const answers = await Promise.all(Array.from({ length: times }, () => read(url, path)));
  expect(answers.map(({ status }) => status)).toEqual(Array(times).fill(200));
  expect(new Set(answers.map(({ list }) => list.version))).toEqual(new Set([1]));
  expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(DEADLINE_MS);
  return new Set(answers.map(({ outcome }) => outcome));
}

describe('from the first request of a cold process', () => {
  test('refused', async () => {
    const url = await serve(`redis://127.0.0.1:${await freePort()}`);
    const { path, acknowledgement } = await newList(url);
    expect(acknowledgement).toBe('pending');
    expect(await expectServed(url, path)).toEqual(new Set(['bypass']));
  });

  test('accepted, and then silent', async () => {
    const address = silent.address();
    const url = await serve(`redis://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
    const { path } = await newList(url);
    expect(await expectServed(url, path)).toEqual(new Set(['bypass']));
  });
});

describe('in the middle', () => {
  let redis: RedisServer;
  let url: string;

  beforeAll(async () => {
    redis = await ownRedis();
    url = await serve(redis.url);
  });

  const hits = async () => {
    const { path } = await newList(url);
    // After the breaker has let one command through, and the connection is there again.
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if ((await read(url, path)).outcome === 'hit') return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  };

  test('frozen, and thawed: served throughout, and cached again without a restart', async () => {
    const { path } = await newList(url);
    expect(await hits()).toBe(true);
    await redis.kill('SIGSTOP');
    await expectServed(url, path);
    // The breaker is open by now: nobody waits any more.
    expect(await expectServed(url, path)).toEqual(new Set(['bypass']));
    await redis.kill('SIGCONT');
    expect(await hits()).toBe(true);
  });

  test('killed under 50 requests, and started again', async () => {
    const { path } = await newList(url);
    expect(await hits()).toBe(true);
    const under = expectServed(url, path);
    await redis.kill('SIGKILL');
    await under;
    expect(await expectServed(url, path)).toEqual(new Set(['bypass']));
    await redis.restart();
    expect(await hits()).toBe(true);
  });
});
