import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createClient } from 'redis';
import { mirror } from '../../../lambda/mirror/mirror.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { createRedisUsers, refusalsOf } from '../../../rehearsal/redis-users.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const ENV = 'test';
const KEY = 'mocs:user:1:list';
const TWINS = [`v2:${KEY}`, `cw:${ENV}:${KEY}`];

const clientOf = (url: string) => createClient({ url }).on('error', () => {});
type Client = ReturnType<typeof clientOf>;

let admin: RedisConnection;
let legacy: Client;
let twins: Client;
/** The UNLINKs of both connections, as they are sent and as they are answered. */
let events: string[];

/** The client with a look at the commands that the mirror sends by it. */
function watched(client: Client): Client {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (async (args: Parameters<Client['sendCommand']>[0]) => {
    const [name, key] = args.map(String);
    if (name !== 'UNLINK') return send(args);
    events.push(`sent ${key}`);
    const reply = await send(args);
    events.push(`answered ${key}`);
    return reply;
  }) as Client['sendCommand'];
  return client;
}

beforeAll(async () => {
  const { url } = await ownRedis();
  admin = await lookInto(url);
  const urls = await createRedisUsers({ send: admin.send, url }, { phase: 'isolated', env: ENV });
  [legacy, twins] = [watched(clientOf(urls.legacy)), watched(clientOf(urls['legacy-twins']))];
  await Promise.all([legacy.connect(), twins.connect()]);
});
beforeEach(async () => {
  events = [];
  await admin.send(['FLUSHALL']);
  await admin.send(['ACL', 'LOG', 'RESET']);
  for (const key of [KEY, ...TWINS]) await admin.send(['SET', key, 'old']);
});
afterAll(() => {
  legacy.destroy();
  twins.destroy();
});

const WRITES: readonly [string, (redis: Client) => Promise<unknown>][] = [
  ['DEL', (redis) => redis.del(KEY)],
  ['SET without a miss before it', (redis) => redis.set(KEY, 'new')],
  ['MULTI', (redis) => redis.multi().set(KEY, 'new').exec()],
  ['a command that the mirror does not know', (redis) => redis.append(KEY, 'x')],
];

describe.each(WRITES)('%s', (_name, write) => {
  it('removes the twins by their own client, after the answers for the lease and the key', async () => {
    await write(mirror(legacy, { env: ENV, twins, onWarning: () => {} }));
    for (const key of [KEY, ...TWINS]) expect(await admin.send(['EXISTS', key])).toBe(0);
    expect(await refusalsOf(admin.send)).toEqual([]);
    const firstTwin = events.findIndex((event) => /^sent (v2|cw):/.test(event));
    expect(firstTwin).toBeGreaterThan(-1);
    const before = events.slice(0, firstTwin);
    const unanswered = before.filter(
      (event) => event.startsWith('sent ') && !before.includes(event.replace('sent', 'answered')),
    );
    expect(unanswered).toEqual([]);
    expect(before).toContain(`answered cutover:lease:{${KEY}}:${KEY}`);
  });
});

it('keeps a fill, and removes what differs from it in the namespaces', async () => {
  await admin.send(['UNLINK', KEY]);
  const redis = mirror(legacy, { env: ENV, twins });
  expect(await redis.get(KEY)).toBeNull();
  await redis.setEx(KEY, 60, 'new');
  expect(await admin.send(['GET', KEY])).toBe('new');
  for (const key of TWINS) expect(await admin.send(['EXISTS', key])).toBe(0);
  expect(await refusalsOf(admin.send)).toEqual([]);
});

it('without a client of theirs, a write of this user is refused by the server, and says so', async () => {
  const redis = mirror(legacy, { env: ENV });
  await expect(redis.del(KEY)).rejects.toThrow('NOPERM');
  expect((await refusalsOf(admin.send)).join()).toContain(`legacy: key v2:${KEY}`);
});

it('with a client that is away, a write says that its entries may still be read', async () => {
  const refused = {
    sendCommand: () => Promise.reject(new Error('away')),
    isReady: false,
  } as unknown as Client;
  await expect(mirror(legacy, { env: ENV, twins: refused }).del(KEY)).rejects.toThrow('away');
});
