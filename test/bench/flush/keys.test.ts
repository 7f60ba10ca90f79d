import { beforeAll, expect, test } from '@jest/globals';
import { DUE, dueOf, load, requireFlushed } from '../../../bench/flush/keys.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const KEYS = 100;
const due = DUE.flatMap((family) =>
  Array.from({ length: dueOf(KEYS) / DUE.length }, (_, index) => `${family}:user:${index}`),
);

let redis: RedisConnection;
beforeAll(async () => {
  redis = await lookInto((await ownRedis({ args: ['--enable-debug-command', 'local'] })).url);
});

test.each<[string, readonly string[], string | undefined]>([
  ['exactly those that are due', due, undefined],
  ['all but one', due.slice(1), '41 are left, 40 of them to stay'],
  ['one too many', [...due, 'sessions:3'], '39 are left, 39 of them to stay'],
  // As many as are due: DBSIZE alone, or a look at a few of them, would not see it.
  ['one instead of another', [...due.slice(0, -1), 'other:19'], '40 are left, 39 of them to stay'],
])('%s', async (_, gone, complaint) => {
  await load(redis, KEYS);
  await redis.send(['UNLINK', ...gone]);
  const checked = requireFlushed(redis, KEYS);
  if (complaint === undefined) await checked;
  else await expect(checked).rejects.toThrow(complaint);
});
