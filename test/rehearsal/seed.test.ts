import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createKeyspace } from '../../lambda/cache/keyspace.ts';
import { readList } from '../../lambda/collections/repository.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import { flush } from '../../lambda/flush/flush.ts';
import { planFlush } from '../../lambda/flush/plan/plan.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { createCsrf } from '../../lambda/stores/csrf.ts';
import { createSessions } from '../../lambda/stores/sessions.ts';
import { createStateRedis } from '../../lambda/stores/state-redis.ts';
import { protocolKeysIn, removeLeftKeys } from '../../rehearsal/own-keys.ts';
import { removeRows, seedItems, seedPreserved } from '../../rehearsal/seed.ts';
import { lookInto } from '../support/redis.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

let database: Database;
let redis: RedisConnection;

beforeAll(async () => {
  const [{ url }, server] = await Promise.all([freshDatabase(), ownRedis()]);
  await migrate(url);
  database = createPool({ url, applicationName: 'test' });
  redis = await lookInto(server.url);
});

afterAll(() => database.end());

const list = (userId: string) => readList(database, { userId, collection: 'wishlist' });

test('items are there for each user, stay as they are the second time, and others’ outlive them', async () => {
  await database.query("INSERT INTO wishlist VALUES ('somebody', 'a', 1, '{}')");
  await seedItems(database, 3);
  await database.query(
    "UPDATE wishlist SET data = '{\"changed\":true}' WHERE user_id = 'rehearsal-3' AND item_id = 'item-0'",
  );
  await seedItems(database, 4);

  expect(await list('rehearsal-4')).toMatchObject({
    version: 1,
    items: [{ id: 'item-0' }, { id: 'item-1' }, { id: 'item-2' }],
  });
  expect(await list('rehearsal-3')).toMatchObject({ items: [{ data: { changed: true } }, {}, {}] });
  expect(await list('rehearsal-5')).toEqual({ items: [], version: 0 });

  await removeRows(database);
  expect(await list('rehearsal-3')).toEqual({ items: [], version: 0 });
  expect(await list('somebody')).toMatchObject({ items: [{ id: 'a' }] });
});

test('state outlives a flush, and what is lost or changed is counted', async () => {
  const preserved = await seedPreserved(redis.send);
  await redis.send(['SET', 'mocs:1', 'x']);
  expect(
    await flush({ target: { url: redis.urlOf([]) }, plan: planFlush({ env: 'rehearsal' }) }),
  ).toMatchObject({
    flushed: 1,
    preserved: 300,
  });
  expect(await preserved.check()).toEqual({ checked: 300, lost: 0 });

  const [gone = '', changed = ''] = (await redis.send(['KEYS', 'sessions:*'])) as string[];
  await redis.send(['DEL', gone]);
  await redis.send(['SET', changed, 'somebody else']);
  expect(await preserved.check()).toEqual({ checked: 300, lost: 2 });
  expect(await preserved.check('cw:test:')).toEqual({ checked: 300, lost: 300 });

  await preserved.remove();
  expect(await redis.send(['DBSIZE'])).toBe(0);
});

test('seeding is no writer that forgets its invalidations', async () => {
  await database.query('DELETE FROM cutover_outbox');
  await seedItems(database, 5);
  expect((await database.query('SELECT FROM cutover_outbox')).rowCount).toBe(0);
  await removeRows(database);
  expect((await database.query("SELECT FROM cutover_outbox WHERE name LIKE '%:rehearsal-%'")).rowCount).toBe(
    0,
  );
});

test('what sessions and processes leave is removed, and nothing else', async () => {
  await redis.send(['SET', 'cutover:env', 'test']);
  const before = await protocolKeysIn(redis.send);
  expect([...before]).toEqual(['cutover:env']);
  const redisOf = createStateRedis({
    keyspace: createKeyspace({ phase: 'dual', env: 'test' }),
    connections: { reads: redis.send, send: redis.send },
  });
  const sessions = createSessions({ redis: redisOf, database });
  const csrf = createCsrf({ redis: redisOf, database });
  for (const userId of ['rehearsal-1', 'rehearsal-2', 'somebody']) {
    const { session, csrfToken } = await sessions.begin({ userId, role: 'student' });
    await csrf.remember(session, csrfToken);
    if (userId === 'rehearsal-2') await sessions.revoke(session.hash);
  }
  await redis.send(['SET', 'cutover:instance:1', 'x']);
  expect(await redis.send(['DBSIZE'])).toBe(3 * 4 + 2);
  await removeLeftKeys({ send: redis.send, database, env: 'test', before });
  await removeRows(database);
  const left = (await redis.send(['KEYS', '*'])) as string[];
  expect(left.map((key) => key.replace(/:[^:]{43}$/, '')).sort()).toEqual([
    ...['csrf', 'cutover:env', 'cw:test:csrf', 'cw:test:secure_session', 'secure_session'],
  ]);
  const { rows } = await database.query('SELECT user_id FROM secure_sessions');
  expect(rows).toEqual([{ user_id: 'somebody' }]);
});
