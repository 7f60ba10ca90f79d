/** A service as people write it: it knows nothing of a migration, of leases, or of another backend. */
import express, { type Express } from 'express';
import { createClient } from 'redis';
import { putItem, readList } from '../../../lambda/collections/repository.ts';
import { COLLECTIONS, type Collection } from '../../../lambda/contract/families.ts';
import { type Database, withTransaction } from '../../../lambda/database/pool.ts';
import { cachedIn } from './cached.ts';

export const clientOf = (url: string) => createClient({ url }).on('error', () => {});
export type Redis = ReturnType<typeof clientOf>;

type To = { user: string; collection: Collection; item: string; other: Collection };

const TTL = 300;
const keyOf = (collection: string, user: string) => `${collection}:user:${user}:list`;

export function legacyService(redis: Redis, db: Database): Express {
  const app = express();
  const cached = cachedIn(redis);
  const load = (collection: Collection, userId: string) => readList(db, { collection, userId });
  const save = ({ user, item }: To, collection: Collection) =>
    withTransaction(db, (tx) =>
      putItem(tx, { userId: user, collection }, { id: item, data: { savedAt: Date.now() } }),
    );

  app.get('/users/:user/mocs', async (req, res) => {
    const key = keyOf('mocs', req.params.user);
    const found = await redis.get(key);
    if (found) return void res.json({ mocs: JSON.parse(found) });
    const mocs = await load('mocs', req.params.user);
    await redis.setEx(key, TTL, JSON.stringify(mocs));
    res.json({ mocs });
  });

  app.get('/users/:user/home', async ({ params: { user } }, res) => {
    const lists = await Promise.all(
      COLLECTIONS.map((name) => cached(keyOf(name, user), TTL, () => load(name, user))),
    );
    res.json(Object.fromEntries(COLLECTIONS.map((name, index) => [name, lists[index]])));
  });

  app.get('/users/:user/pictures', async ({ params: { user } }, res) => {
    const [galleryKey, albumsKey] = [keyOf('gallery', user), keyOf('albums', user)];
    const found = await redis.mGet([galleryKey, albumsKey]);
    if (found[0] && found[1]) {
      return void res.json({ gallery: JSON.parse(found[0]), albums: JSON.parse(found[1]) });
    }
    const [gallery, albums] = await Promise.all([load('gallery', user), load('albums', user)]);
    const transaction = redis.multi().set(galleryKey, JSON.stringify(gallery)).expire(galleryKey, TTL);
    await transaction.setEx(albumsKey, TTL, JSON.stringify(albums)).exec();
    res.json({ gallery, albums });
  });

  app.put('/users/:user/:collection/:item', async ({ params }: { params: To }, res) => {
    const version = await save(params, params.collection);
    await redis.del(keyOf(params.collection, params.user));
    res.json({ [params.collection]: version });
  });

  app.put('/users/:user/:collection/:item/also-in/:other', async ({ params }: { params: To }, res) => {
    const { user, collection, other } = params;
    const versions = [await save(params, collection), await save(params, other)];
    const list = JSON.stringify(await load(collection, user));
    await redis.multi().setEx(keyOf(collection, user), TTL, list).del(keyOf(other, user)).exec();
    res.json({ [collection]: versions[0], [other]: versions[1] });
  });
  return app;
}
