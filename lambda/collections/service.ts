import type { Acknowledgement, Answer, Cache } from '../cache/cache.ts';
import { ProblemError } from '../contract/problem.ts';
import type { Database } from '../database/pool.ts';
import { deleteItem, NOT_FOUND, putItem, readList } from './repository.ts';
import { type ItemData, type ItemList, listKey, type Owner } from './schema.ts';

export interface Written {
  readonly version: number;
  readonly invalidation: Acknowledgement;
}

/** The collections: lists from the cache, writes to the database and then invalidated. */
export interface Collections {
  list(owner: Owner): Promise<Answer<ItemList>>;
  put(owner: Owner, item: { id: string; data: ItemData }): Promise<Written>;
  /** @throws ProblemError 404 for an item that is not there. */
  remove(owner: Owner, id: string): Promise<Written>;
}

export function createCollections({
  cache,
  database,
}: {
  cache: Pick<Cache, 'resolve' | 'invalidate'>;
  database: Database;
}): Collections {
  /** After the commit and before the answer: from then on no read may be older. */
  const invalidate = async (owner: Owner, version: number): Promise<Written> => ({
    version,
    invalidation: await cache.invalidate(listKey(owner)),
  });

  return {
    list: (owner) => cache.resolve(listKey(owner), () => readList(database, owner)),
    async put(owner, item) {
      return invalidate(owner, await putItem(database, owner, item));
    },
    async remove(owner, id) {
      const version = await deleteItem(database, owner, id);
      if (version === NOT_FOUND)
        throw new ProblemError(404, `itemId ${JSON.stringify(id)} is not in ${owner.collection}`);
      return invalidate(owner, version);
    },
  };
}
