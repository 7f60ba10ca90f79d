import type { Acknowledgement, Answer, Cache } from '../cache/cache.ts';
import { ProblemError } from '../contract/problem.ts';
import { type Database, queryable } from '../database/pool.ts';
import type { Writes } from '../outbox/writes.ts';
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

export interface CollectionsOptions {
  readonly cache: Pick<Cache, 'resolve'>;
  readonly database: Database;
  readonly writes: Writes;
}

export function createCollections({ cache, database, writes }: CollectionsOptions): Collections {
  return {
    list: (owner) => cache.resolve(listKey(owner), () => readList(queryable(database), owner)),
    async put(owner, item) {
      const { value: version, invalidation } = await writes.withTransaction((tx) => {
        tx.invalidate(listKey(owner));
        return putItem(tx, owner, item);
      });
      return { version, invalidation };
    },
    async remove(owner, id) {
      const { value: version, invalidation } = await writes.withTransaction(async (tx) => {
        const raised = await deleteItem(tx, owner, id);
        if (raised !== NOT_FOUND) tx.invalidate(listKey(owner));
        return raised;
      });
      if (version === NOT_FOUND)
        throw new ProblemError(404, `itemId ${JSON.stringify(id)} is not in ${owner.collection}`);
      return { version, invalidation };
    },
  };
}
