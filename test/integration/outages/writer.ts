/** A process that is killed between the commit of its write and the end of its invalidation. */
import { createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { putItem } from '../../../lambda/collections/repository.ts';
import { createPool } from '../../../lambda/database/pool.ts';
import { createWrites } from '../../../lambda/outbox/writes.ts';
import { connectRedis } from '../../../lambda/redis/connection.ts';

const [redisUrl = '', databaseUrl = '', userId = '', unlinks = ''] = process.argv.slice(2);

const redis = connectRedis({ url: redisUrl, name: 'writer' });
await redis.ready(5000);
const database = createPool({ url: databaseUrl, applicationName: 'writer' });
const keyspace = createKeyspace({ phase: 'isolated', env: 'test' });
let unlinked = 0;
const store = redisStore(async (command) => {
  if (unlinked >= Number(unlinks)) process.kill(process.pid, 'SIGKILL');
  unlinked += 1;
  return redis.send(command);
});
const cache = createCache({ keyspace, store });
await createWrites({ database, keyspace, cache }).withTransaction((tx) => {
  tx.invalidate(`mocs:user:${userId}:list`);
  return putItem(tx, { userId, collection: 'mocs' }, { id: 'item', data: {} });
});
process.kill(process.pid, 'SIGKILL');
