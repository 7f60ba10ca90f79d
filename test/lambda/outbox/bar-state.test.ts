import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { BARRIER, BARRIER_MS } from '../../../lambda/cache/state-marks.ts';
import { accessStringsOf } from '../../../lambda/contract/access.ts';
import { barState } from '../../../lambda/outbox/bar-state.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const ENV = 'test';
const KEY = 'secure_session:h';
const NAMESPACED = `cw:${ENV}:${KEY}`;
const keyspace = createKeyspace({ phase: 'legacy', env: ENV });

let admin: RedisConnection;
let url: string;
beforeAll(async () => {
  ({ url } = await ownRedis());
  admin = await lookInto(url);
});
beforeEach(async () => void (await admin.send(['FLUSHALL'])));

const troubles: string[] = [];
const barWith = (send: Send) =>
  barState({ keyspace, send, onError: (_, family) => void troubles.push(family) });
const held = () => Promise.all([KEY, NAMESPACED].map((key) => admin.send(['GET', key])));

describe('a barrier', () => {
  it('stands in every place for longer than a request lives, whatever was there', async () => {
    await admin.send(['SET', KEY, '{"version":7}']);
    await admin.send(['RPUSH', NAMESPACED, 'x']);
    expect(await barWith(admin.send)(KEY)).toBe(true);
    expect(await held()).toEqual([BARRIER, BARRIER]);
    const ttl = Number(await admin.send(['PTTL', KEY]));
    expect(ttl).toBeGreaterThan(BARRIER_MS - 10_000);
    expect(ttl).toBeLessThanOrEqual(BARRIER_MS);
  });

  it('takes no tombstone away', async () => {
    await admin.send(['SET', KEY, '{"version":7,"revoked":true}', 'PX', '100000']);
    await barWith(admin.send)(KEY);
    expect((await held())[0]).toContain('revoked');
    expect(Number(await admin.send(['PTTL', KEY]))).toBeGreaterThan(BARRIER_MS);
  });

  it.each(['mocs:user:1:list', 'nobody:1', '', '\u0000', 'v2:secure_session:h'])(
    'is for keys of state alone: %j is confirmed and left',
    async (name) => {
      expect(await barWith(() => Promise.reject(new Error('asked')))(name)).toBe(true);
    },
  );

  it('that could not be confirmed in each place is not confirmed', async () => {
    const half: Send = (command) =>
      command[3] === NAMESPACED ? Promise.reject(new Error('away')) : admin.send(command);
    troubles.length = 0;
    expect(await barWith(half)(KEY)).toBe(false);
    expect(troubles).toEqual(['secure_session']);
  });

  it('is not needed where the user may not even read', async () => {
    const all = accessStringsOf({ phase: 'isolated', env: ENV }).serverless.split(' ');
    const rules = all.filter((rule) => rule !== `~cw:${ENV}:secure_session:*`);
    await admin.send(['ACL', 'SETUSER', 'serverless', 'reset', '>secret', ...rules]);
    const own = new URL(url);
    [own.username, own.password] = ['serverless', 'secret'];
    const { send } = await lookInto(own.href);
    expect(await barWith(send)(KEY)).toBe(true);
    expect(await held()).toEqual([BARRIER, null]);
    await admin.send(['ACL', 'SETUSER', 'serverless', '-eval']);
    expect(await barWith(send)(KEY)).toBe(false);
  });
});
