import type { Queryable } from '../database/pool.ts';
import type { ItemData, ItemList, Owner } from './schema.ts';

/** A row that is not there. */
export const NOT_FOUND = 'not found';

/** The list and its version, of one moment: a single statement sees a single snapshot. */
export async function readList(db: Queryable, { userId, collection }: Owner): Promise<ItemList> {
  const { rows } = await db.query<ItemList>({
    name: `list-${collection}`,
    text: `SELECT
      coalesce((SELECT version FROM collection_versions WHERE user_id = $1 AND collection = $2), 0) AS version,
      coalesce((SELECT json_agg(json_build_object('id', item_id, 'version', version, 'data', data) ORDER BY item_id)
                FROM ${collection} WHERE user_id = $1), '[]') AS items`,
    values: [userId, collection],
  });
  const [list = { items: [], version: 0 }] = rows;
  return { items: list.items, version: list.version };
}

/** Stores an item, inside a transaction; @returns the new version of its list, and so of the item. */
export async function putItem(
  tx: Queryable,
  owner: Owner,
  item: { id: string; data: ItemData },
): Promise<number> {
  const version = await raiseVersion(tx, owner);
  await tx.query(
    `INSERT INTO ${owner.collection} (user_id, item_id, version, data) VALUES ($1, $2, $3, $4)
     ON CONFLICT (user_id, item_id) DO UPDATE SET version = $3, data = $4, updated_at = now()`,
    [owner.userId, item.id, version, JSON.stringify(item.data)],
  );
  return version;
}

/** Deletes an item, inside a transaction; @returns the new version of its list, or NOT_FOUND, and then nothing has changed. */
export async function deleteItem(
  tx: Queryable,
  owner: Owner,
  id: string,
): Promise<number | typeof NOT_FOUND> {
  const { userId, collection } = owner;
  // The version's lock before the item's, as in putItem: otherwise the two could wait for each other.
  await tx.query('SELECT FROM collection_versions WHERE user_id = $1 AND collection = $2 FOR UPDATE', [
    userId,
    collection,
  ]);
  const { rowCount } = await tx.query(`DELETE FROM ${collection} WHERE user_id = $1 AND item_id = $2`, [
    userId,
    id,
  ]);
  return rowCount === 0 ? NOT_FOUND : raiseVersion(tx, owner);
}

/** Raises the version under its row lock, which makes the writers of one list take turns. */
async function raiseVersion(tx: Queryable, { userId, collection }: Owner): Promise<number> {
  const { rows } = await tx.query<{ version: number }>(
    `INSERT INTO collection_versions (user_id, collection, version) VALUES ($1, $2, 1)
     ON CONFLICT (user_id, collection) DO UPDATE SET version = collection_versions.version + 1
     RETURNING version`,
    [userId, collection],
  );
  const [row] = rows;
  if (!row) throw new Error('collections: raising a version returned no row');
  return row.version;
}
