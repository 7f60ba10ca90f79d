import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readList } from '../../lambda/collections/repository.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import { flush } from '../../lambda/flush/flush.ts';
import { planFlush } from '../../lambda/flush/plan/plan.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
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

  await preserved.remove();
  expect(await redis.send(['DBSIZE'])).toBe(0);
});
