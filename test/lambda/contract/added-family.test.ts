import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { createCache } from '../../../lambda/cache/cache.ts';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { redisStore } from '../../../lambda/cache/redis-store.ts';
import { FAMILIES, type Family, retentionSeconds } from '../../../lambda/contract/families.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../../lambda/database/pool.ts';
import { flush } from '../../../lambda/flush/flush.ts';
import { planFlush } from '../../../lambda/flush/plan/plan.ts';
import { mirror } from '../../../lambda/mirror/mirror.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

/** What a team adds to the registry, and nowhere else. */
const ADDED: Family = {
  name: 'quotes',
  kind: 'cache',
  onFlush: 'flush',
  ttlSeconds: 7200,
  source: { table: 'quotes', keyTemplate: 'quotes:{author}:page:{page}' },
  tagSources: [{ table: 'quotes', tagTemplate: 'author:{author}' }],
};
const families = [...FAMILIES, ADDED];
const KEY = 'quotes:lec:page:3';

let redis: RedisConnection;
let redisUrl: string;
let database: Database;

beforeAll(async () => {
  const [server, { url }] = await Promise.all([ownRedis(), freshDatabase()]);
  redisUrl = server.url;
  redis = await lookInto(server.url);
  database = createPool({ url, applicationName: 'test' });
  await database.query('CREATE TABLE quotes (author text, page int, text text)');
  await migrate(url, families);
});
afterAll(() => database.end());

describe('a family that is added to the registry', () => {
  test('has keys in every namespace', async () => {
    const cache = createCache({
      keyspace: createKeyspace({ phase: 'isolated', env: 'test', families }),
      store: redisStore(redis.send),
    });
    await cache.getOrLoad(KEY, async () => 'cached');
    expect(await redis.send(['GET', `v2:${KEY}`])).toBe('"cached"');
    await expect(
      createCache({ keyspace: createKeyspace({ phase: 'isolated', env: 'test' }) }).invalidate(KEY),
    ).rejects.toThrow('no family');
  });

  test('is mirrored, with its tags', async () => {
    await redis.send(['MSET', `v2:${KEY}`, 'old', 'cutover:epoch:author:lec', 'before']);
    const client = mirror(
      createClient({ url: redisUrl }).on('error', () => {}),
      { env: 'test', families },
    );
    await client.connect();
    await client.del(KEY);
    client.destroy();
    expect(await redis.send(['EXISTS', `v2:${KEY}`])).toBe(0);
    expect(await redis.send(['GET', 'cutover:epoch:author:lec'])).not.toBe('before');
  });

  test('is flushed', async () => {
    await redis.send(['MSET', KEY, 'x', `v2:${KEY}`, 'x', 'sessions:1', 'x']);
    const report = await flush({
      target: { url: redis.urlOf([]) },
      plan: planFlush({ env: 'test', families }),
    });
    expect(report).toMatchObject({ flushed: 2, preserved: 1 });
  });

  test('has triggers on its table, and its TTL is what the outbox remembers', async () => {
    await database.query("INSERT INTO quotes VALUES ('lec', 3, 'x'), ('lec', NULL, 'y')");
    const { rows } = await database.query('SELECT kind, name FROM cutover_outbox ORDER BY kind, name');
    expect(rows).toEqual([
      { kind: 'key', name: KEY },
      { kind: 'tag', name: 'author:lec' },
      { kind: 'tag', name: 'author:lec' },
    ]);
    expect([retentionSeconds(FAMILIES), retentionSeconds(families)]).toEqual([900, 7200]);
  });
});
