import { describe, expect, test } from '@jest/globals';
import { REDIS_KINDS } from './redis-kinds.ts';

describe.each(Object.entries(REDIS_KINDS))('%s', (kind, open) => {
  test('answers the commands of the runtime, on as many primaries as it has', async () => {
    const redis = await open();
    expect(await redis.send(['SET', 'v2:mocs:user:1:list', 'token', 'NX', 'PX', '6000', 'GET'])).toBeNull();
    expect(await redis.send(['GET', 'v2:mocs:user:1:list'])).toBe('token');
    const script = `return redis.call('GET', KEYS[1])`;
    expect(await redis.send(['EVAL', script, '1', 'v2:mocs:user:1:list'])).toBe('token');
    expect(await redis.send(['SADD', 'cutover:set', 'a'])).toBe(1);
    expect(await redis.send(['SMEMBERS', 'cutover:set'])).toEqual(['a']);
    expect(await redis.send(['UNLINK', 'v2:mocs:user:1:list'])).toBe(1);
    const runs = await Promise.all(redis.primaries().map(({ send }) => send(['INFO', 'server'])));
    const ids = runs.map((info) => /run_id:(\w+)/.exec(String(info))?.[1]);
    expect(new Set(ids).size).toBe(kind === 'cluster of 3' ? 3 : 1);
    expect(redis.clustered).toBe(kind === 'cluster of 3');
    expect(redis.connections).toBe(ids.length);
  });
});

test('the user of “tls and acl” may touch no other key, and give no other command', async () => {
  const redis = await REDIS_KINDS['tls and acl']();
  await expect(redis.send(['GET', 'sessions:1'])).rejects.toThrow(/^NOPERM /);
  await expect(redis.send(['FLUSHALL'])).rejects.toThrow(/^NOPERM /);
  await expect(redis.send(['CONFIG', 'GET', '*'])).rejects.toThrow(/^NOPERM /);
});
