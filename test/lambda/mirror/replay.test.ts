import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { REPLAYED } from '../../../lambda/cache/replay-gate.ts';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { mirror } from '../../../lambda/mirror/mirror.ts';
import { QUERY } from '../../support/query-family.ts';
import { ownRedis } from '../../support/servers.ts';

const KEY = 'mocs:user:1:list';

let plain: ReturnType<typeof connect>;
let url: string;

function connect() {
  return createClient({ url }).on('error', () => {});
}

beforeAll(async () => {
  ({ url } = await ownRedis());
  plain = connect();
  await plain.connect();
});
beforeEach(async () => void (await plain.flushAll()));
afterAll(() => plain.destroy());

async function withMirrored(work: (redis: ReturnType<typeof connect>) => Promise<void>): Promise<void> {
  const families = [...FAMILIES, QUERY];
  const redis = await mirror(connect(), { env: 'test', families }).connect();
  try {
    await work(redis);
  } finally {
    redis.destroy();
  }
}

const life = async () => {
  const info = await plain.info();
  return `${/run_id:(\w+)/.exec(info)?.[1]}:${/master_replid:(\w+)/.exec(info)?.[1]}`;
};

describe('a Redis to which the outbox is not replayed', () => {
  test('is a miss that stores nothing, until it is', async () => {
    await plain.mSet([KEY, 'old', 'plain:1', 'untouched', REPLAYED, 'another:life']);
    await withMirrored(async (redis) => {
      expect(await redis.get(KEY)).toBeNull();
      await redis.setEx(KEY, 60, 'loaded');
      expect(await plain.exists(KEY)).toBe(0);
      await plain.set(KEY, 'old');
      expect(await redis.mGet([KEY, 'plain:1'])).toEqual([null, 'untouched']);
      expect(await redis.get('plain:1')).toBe('untouched');
      await plain.set(REPLAYED, await life());
      while ((await redis.get(KEY)) !== 'old') await sleep(20);
    });
  });

  test.each([
    ['it was never replayed to any', async () => undefined],
    ['it was replayed to this life of it', async () => void (await plain.set(REPLAYED, await life()))],
  ])('is none if %s', async (_, prepare) => {
    await plain.set(KEY, 'value');
    await prepare();
    await withMirrored(async (redis) => expect(await redis.get(KEY)).toBe('value'));
  });

  test('is asked for again on each new connection', async () => {
    await plain.set(KEY, 'value');
    await withMirrored(async (redis) => {
      expect(await redis.get(KEY)).toBe('value');
      await plain.set(REPLAYED, 'another:life');
      const id = await redis.clientId();
      await plain.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]);
      const idNow = () => redis.clientId().catch(() => id);
      while ((await idNow()) === id) await sleep(5);
      expect(await redis.get(KEY)).toBeNull();
    });
  });
});

test('a user who may not ask INFO is told of it, once', async () => {
  const { port } = await ownRedis({ users: { legacy: ['on', '>secret', '~*', '+@all', '-info'] } });
  const warnings: string[] = [];
  const client = createClient({ url: `redis://legacy:secret@127.0.0.1:${port}` }).on('error', () => {});
  const redis = await mirror(client, {
    env: 'test',
    onWarning: (message) => warnings.push(message),
  }).connect();
  expect([await redis.get(KEY), await redis.get(KEY)]).toEqual([null, null]);
  await sleep(1200);
  redis.destroy();
  expect(warnings).toEqual([expect.stringMatching(/^mirror: .*NOPERM.*grant the user \+info/)]);
});

test('no entry outlives the outbox, whatever legacy code asks for', async () => {
  const day = 86_400;
  await withMirrored(async (redis) => {
    const fills: ((key: string) => Promise<unknown>)[] = [
      (key) => redis.setEx(key, day, 'x'),
      (key) => redis.set(key, 'x'),
      (key) => redis.set(key, 'x', { EXAT: Math.floor(Date.now() / 1000) + day }),
      (key) => redis.multi().setEx(key, day, 'x').exec(),
    ];
    for (const [index, fill] of fills.entries()) {
      const key = `mocs:user:${index}:list`;
      await redis.get(key);
      await fill(key);
      expect(await plain.ttl(key)).toBeGreaterThan(890);
      expect(await plain.ttl(key)).toBeLessThanOrEqual(900);
    }
  });
});

test.each<[string, (redis: ReturnType<typeof connect>) => Promise<unknown>]>([
  ['DEL', (redis) => redis.del(KEY)],
  ['SET without a read', (redis) => redis.set(KEY, 'new')],
  [
    'SET after a miss, which may be a write',
    (redis) => redis.get(KEY).then(() => redis.setEx(KEY, 60, 'new')),
  ],
  ['MULTI', (redis) => redis.multi().del(KEY).exec()],
  ['a command that it does not know', (redis) => redis.append(KEY, 'more')],
])("%s bumps the tags that the registry gives the key's row", async (_, change) => {
  await plain.set('cutover:epoch:user:1', 'before');
  await plain.set('cutover:epoch:user:2', 'before');
  await withMirrored(async (redis) => void (await change(redis)));
  expect(await plain.get('cutover:epoch:user:1')).not.toBe('before');
  expect(await plain.get('cutover:epoch:user:2')).toBe('before');
});
