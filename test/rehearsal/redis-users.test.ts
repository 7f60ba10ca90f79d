import { expect, test } from '@jest/globals';
import { accessStringsOf } from '../../lambda/contract/access.ts';
import { FAMILIES } from '../../lambda/contract/families.ts';
import { changeRedisUsers, createRedisUsers } from '../../rehearsal/redis-users.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedis } from '../support/servers.ts';

test('a change of the users takes and gives rights; who is connected stays, and logs in with the same password', async () => {
  const { url } = await ownRedis();
  const admin = await lookInto(url);
  const carts = { name: 'carts', kind: 'state', onFlush: 'preserve' } as const;
  const urls = await createRedisUsers(
    { send: admin.send, url },
    { phase: 'legacy', env: 'test', families: [...FAMILIES, carts] },
  );
  const before = await lookInto(urls.serverless);
  expect(await before.send(['SET', 'carts:1', 'x'])).toBe('OK');
  expect(await before.send(['SET', 'cw:test:sessions:1', 'x'])).toBe('OK');

  await changeRedisUsers(admin.send, { phase: 'prefixed', env: 'other' });
  await expect(before.send(['GET', 'carts:1'])).rejects.toThrow('NOPERM');
  await expect(before.send(['GET', 'cw:test:sessions:1'])).rejects.toThrow('NOPERM');
  expect(await before.send(['SET', 'cw:other:sessions:1', 'x'])).toBe('OK');
  const after = await lookInto(urls.serverless);
  expect(await after.send(['GET', 'cw:other:sessions:1'])).toBe('x');

  const rules = Object.values(accessStringsOf({ phase: 'prefixed', env: 'other' }));
  const listed = (await admin.send(['ACL', 'LIST'])) as string[];
  const keysOf = (text: string) => (text.match(/~\S+/g) ?? []).sort().join();
  expect(listed.map(keysOf).sort()).toEqual([...rules.map(keysOf), '~*'].sort());
});
