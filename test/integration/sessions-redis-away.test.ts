import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import { openDispatcher } from '../../lambda/outbox/dispatcher.ts';
import { createHost } from '../../rehearsal/host/host.ts';
import { believeEverybody } from '../../rehearsal/host/login-gate.ts';
import { freePort } from '../../rehearsal/servers/process.ts';
import { wiredApi } from '../support/deployed.ts';
import { ask, listen, type Reply } from '../support/http.ts';
import { lookInto } from '../support/redis.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

/** Redis refused, frozen and killed under 50 users: their sessions answer from the database, and no answer is a 5xx. */
const USERS = 50;
const CURRENT = '/api/sessions/current';
const JSON_TYPE = { 'content-type': 'application/json' };
/** A connection is tried again after 2 s at the latest. */
const RECONNECTED_MS = 4000;
const SILENT = { info() {}, warn() {}, error() {} };

let databaseUrl: string;
beforeAll(async () => {
  ({ url: databaseUrl } = await freshDatabase());
  await migrate(databaseUrl);
});

const environment = (redisUrl: string) => ({
  NODE_ENV: 'test',
  CW_CACHE_PREFIX_ENABLED: '1',
  CW_CACHE_DUAL_WRITE: '1',
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
});
const hosted = async (redisUrl: string): Promise<Server> =>
  createHost(await wiredApi(environment(redisUrl)), { gates: [believeEverybody] });
const serve = async (redisUrl: string) => listen(await hosted(redisUrl));

interface User {
  readonly headers: Readonly<Record<string, string>>;
}

async function logIn(url: string, userId: string): Promise<User> {
  const body = JSON.stringify({ userId, role: 'student' });
  const { status, headers, text } = await ask(url, {
    method: 'POST',
    path: '/api/sessions/login',
    headers: JSON_TYPE,
    body,
  });
  expect({ status, text }).toMatchObject({ status: 200 });
  const [cookie = ''] = (headers['set-cookie']?.[0] ?? '').split(';');
  return { headers: { cookie, 'x-csrf-token': JSON.parse(text).csrfToken } };
}

const all = <T>(work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: USERS }, (_, index) => work(index)));
const current = (url: string, { headers }: User) => ask(url, { path: CURRENT, headers });
const logOut = (url: string, { headers }: User) =>
  ask(url, { method: 'POST', path: '/api/sessions/logout', headers });
const statuses = (replies: readonly Reply[]) => [...new Set(replies.map(({ status }) => status))];
const acknowledgements = (replies: readonly Reply[]) => [
  ...new Set(replies.map(({ headers }) => headers['x-invalidation'])),
];

/** Everybody reads, half of them log out, and everybody reads again. */
async function expectServed(url: string, users: readonly User[], acknowledgement: string) {
  expect(statuses(await Promise.all(users.map((user) => current(url, user))))).toEqual([200]);
  const leaving = users.filter((_, index) => index % 2 === 0);
  const left = await Promise.all(leaving.map((user) => logOut(url, user)));
  expect(statuses(left)).toEqual([204]);
  expect(acknowledgements(left)).toEqual([acknowledgement]);
  const after = await Promise.all(users.map((user) => current(url, user)));
  expect(after.map(({ status }) => status)).toEqual(users.map((_, index) => (index % 2 === 0 ? 401 : 200)));
}

describe('a Redis that', () => {
  test('refuses from the first request on: sessions begin, last and end in the database', async () => {
    const url = await serve(`redis://127.0.0.1:${await freePort()}`);
    const users = await all((index) => logIn(url, `refused-${index}`));
    await expectServed(url, users, 'pending');
    const forged = await ask(url, {
      path: CURRENT,
      headers: { cookie: `__Host-cutover_session=${'a'.repeat(43)}` },
    });
    expect(forged.status).toBe(401);
  }, 60_000);

  test('is frozen, and thawed: an end that was pending is made good by the dispatcher', async () => {
    const redis = await ownRedis();
    const url = await serve(redis.url);
    const users = await all((index) => logIn(url, `frozen-${index}`));
    await redis.kill('SIGSTOP');
    await expectServed(url, users, 'pending');
    await redis.kill('SIGCONT');
    const dispatcher = await openDispatcher(environment(redis.url), SILENT);
    let report = await dispatcher.dispatch();
    for (let pass = 0; pass < 100 && report.pending; pass += 1) {
      await sleep(100);
      report = await dispatcher.dispatch();
    }
    await dispatcher.close();
    // Wait until the breaker has let one through: now Redis answers again, and nobody is back.
    await sleep(1500);
    for (let pass = 0; pass < 3; pass += 1) {
      const after = await Promise.all(users.map((user) => current(url, user)));
      expect(after.map(({ status }) => status)).toEqual(
        users.map((_, index) => (index % 2 === 0 ? 401 : 200)),
      );
    }
  }, 60_000);

  test('is killed under their requests, and starts again empty: nobody is logged out, and nobody is back', async () => {
    const redis = await ownRedis();
    const url = await serve(redis.url);
    const users = await all((index) => logIn(url, `killed-${index}`));
    const gone = await all((index) => logIn(url, `gone-${index}`));
    expect(acknowledgements(await Promise.all(gone.map((user) => logOut(url, user))))).toEqual(['done']);
    const under = Promise.all([...users, ...users].map((user) => current(url, user)));
    await redis.kill('SIGKILL');
    expect(statuses(await under)).toEqual([200]);
    expect(statuses(await Promise.all(gone.map((user) => current(url, user))))).toEqual([401]);
    await redis.restart();
    for (let pass = 0; pass < 5; pass += 1) {
      expect(statuses(await Promise.all(users.map((user) => current(url, user))))).toEqual([200]);
      expect(statuses(await Promise.all(gone.map((user) => current(url, user))))).toEqual([401]);
      await sleep(300);
    }
  }, 60_000);
});

test.each([
  ['nobody is back', true],
  ['everybody is back where the outbox has forgotten the ends', false],
])(
  'a Redis that comes back from a snapshot that is older than their ends: %s',
  async (_name, remembers) => {
    const redis = await ownRedis();
    const url = await serve(redis.url);
    const users = await all((index) => logIn(url, `snapshot-${remembers}-${index}`));
    await (await lookInto(redis.url)).send(['SAVE']);
    const left = await Promise.all(users.map((user) => logOut(url, user)));
    expect(acknowledgements(left)).toEqual(['done']);
    if (!remembers) {
      const database = createPool({ url: databaseUrl, applicationName: 'test' });
      await database.query('TRUNCATE cutover_outbox');
      await database.end();
    }
    await redis.restart();
    // Before that the database answers, and what it knows to have ended is said to Redis again.
    await sleep(RECONNECTED_MS);
    const seen = new Set<number>();
    for (let pass = 0; pass < 3; pass += 1) {
      for (const status of statuses(await Promise.all(users.map((user) => current(url, user)))))
        seen.add(status);
      await sleep(300);
    }
    // Whom the database was still asked about is not back either way.
    expect(remembers ? [...seen] : seen.has(200)).toEqual(remembers ? [401] : true);
  },
  60_000,
);
