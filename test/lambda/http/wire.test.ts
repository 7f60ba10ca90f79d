import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Environment } from '../../../lambda/cache/phase.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import type { Handler } from '../../../rehearsal/host/host.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';
import { wiredApi } from '../../support/wired-api.ts';

const KEY = 'mocs:user:u:list';
const ISOLATED = `v2:${KEY}`;
const ANOTHER = `cw:test:${KEY}`;
const POISON = '{"items":[],"version":4711}';

let DATABASE_URL: string;
let REDIS_URL: string;
let redis: RedisConnection;

beforeAll(async () => {
  [{ url: DATABASE_URL }, { url: REDIS_URL }] = await Promise.all([freshDatabase(), ownRedis()]);
  await migrate(DATABASE_URL);
  redis = await lookInto(REDIS_URL);
});

beforeEach(async () => void (await redis.send(['FLUSHALL'])));

const wired = (environment: Environment) => wiredApi({ NODE_ENV: 'test', DATABASE_URL, ...environment });

/** What API Gateway sends, as far as it matters. */
async function send(handler: Handler, method: string, rawPath: string, body?: string) {
  const event = {
    version: '2.0',
    rawPath,
    rawQueryString: '',
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
    isBase64Encoded: false,
    requestContext: { domainName: 'api.example.com', http: { method, path: rawPath } },
  };
  const answer = await handler(event as unknown as APIGatewayProxyEventV2);
  return {
    status: answer.statusCode,
    headers: answer.headers ?? {},
    body: JSON.parse(answer.body ?? 'null'),
  };
}

const read = (handler: Handler) => send(handler, 'GET', '/api/users/u/mocs');
const write = (handler: Handler) => send(handler, 'PUT', '/api/users/u/mocs/a', '{"data":{}}');

describe('a configuration that cannot be served is refused with the names of its variables', () => {
  const DATABASE = { DATABASE_URL: 'postgresql://127.0.0.1:1/none' };

  test.each<[string, Environment]>([
    ['CACHE_MODE=redis needs REDIS_URL', { CACHE_MODE: 'redis' }],
    ['CACHE_MODE=disk is none of redis, memory, off', { CACHE_MODE: 'disk' }],
    ['CACHE_MODE=REDIS is none of', { CACHE_MODE: 'REDIS', REDIS_URL: 'redis://127.0.0.1:1' }],
    ['DATABASE_URL is not set', { DATABASE_URL: undefined }],
    ['DATABASE_URL is not set', { DATABASE_URL: '' }],
    ['NODE_ENV= cannot name a namespace', { NODE_ENV: undefined }],
    ['NODE_ENV=a:b cannot name a namespace', { NODE_ENV: 'a:b' }],
    ['NODE_ENV=a}b cannot name a namespace', { NODE_ENV: 'a}b' }],
    ['MIGRATION_MODE=yes is not a switch', { MIGRATION_MODE: 'yes' }],
    ['CW_CACHE_DUAL_WRITE is set without CW_CACHE_PREFIX_ENABLED', { CW_CACHE_DUAL_WRITE: '1' }],
    [
      'MIGRATION_MODE and CW_CACHE_PREFIX_ENABLED exclude each other',
      { MIGRATION_MODE: 'true', CW_CACHE_PREFIX_ENABLED: '1' },
    ],
    ['is not a redis:// or rediss:// URL', { REDIS_URL: 'http://127.0.0.1:1' }],
    ['is not a redis:// or rediss:// URL', { REDIS_URL: '127.0.0.1:6379' }],
  ])('%s', async (message, environment) => {
    await expect(wiredApi({ NODE_ENV: 'test', ...DATABASE, ...environment })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(message),
    });
  });

  test('a Redis in use under another NODE_ENV, too', async () => {
    await redis.send(['SET', 'cutover:env', 'production']);
    await expect(wired({ REDIS_URL })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/NODE_ENV=test.*run with production/),
    });
    expect(await redis.send(['GET', 'cutover:env'])).toBe('production');
  });
});

describe('with Redis', () => {
  test('it claims the environment, reads through its own key and fills it for 300 s, less a tenth at the most', async () => {
    const handler = await wired({ REDIS_URL });
    expect(await redis.send(['GET', 'cutover:env'])).toBe('test');
    expect((await read(handler)).headers).toMatchObject({ 'x-cache': 'miss' });
    expect((await read(handler)).headers).toMatchObject({ 'x-cache': 'hit' });
    expect(await redis.send(['KEYS', '*:list'])).toEqual([KEY]);
    const ttl = Number(await redis.send(['PTTL', KEY]));
    expect(ttl).toBeGreaterThan(265_000);
    expect(ttl).toBeLessThanOrEqual(300_000);
  });

  test('MIGRATION_MODE isolates what it reads and fills', async () => {
    const handler = await wired({ REDIS_URL, MIGRATION_MODE: 'true' });
    await redis.send(['SET', KEY, POISON]);
    expect((await read(handler)).body.version).not.toBe(4711);
    expect((await read(handler)).headers).toMatchObject({ 'x-cache': 'hit' });
    expect(await redis.send(['EXISTS', ISOLATED])).toBe(1);
    expect(await redis.send(['GET', KEY])).toBe(POISON);
  });

  test.each<[string, Environment]>([
    ['the phase legacy', {}],
    ['the phase isolated', { MIGRATION_MODE: '1' }],
    ['the memory cache', { CACHE_MODE: 'memory' }],
    ['no cache', { CACHE_MODE: 'off' }],
  ])('a write in %s makes Redis forget the key everywhere', async (_name, environment) => {
    const handler = await wired({ REDIS_URL, ...environment });
    for (const key of [KEY, ISOLATED, ANOTHER, 'mocs:user:v:list']) await redis.send(['SET', key, POISON]);
    expect((await write(handler)).headers).toMatchObject({ 'x-invalidation': 'done' });
    expect(await redis.send(['KEYS', '*:list'])).toEqual(['mocs:user:v:list']);
  });

  test.each<[string, string[]]>([
    ['memory', ['miss', 'hit', 'hit']],
    ['off', ['bypass', 'bypass', 'bypass']],
  ])('CACHE_MODE=%s does not read there, nor fill', async (CACHE_MODE, outcomes) => {
    const handler = await wired({ REDIS_URL, CACHE_MODE });
    await redis.send(['SET', KEY, POISON]);
    const answers = [await read(handler), await read(handler), await read(handler)];
    expect(answers.map(({ headers }) => headers['x-cache'])).toEqual(outcomes);
    expect(answers.map(({ body }) => body.version === 4711)).toEqual([false, false, false]);
    expect(await redis.send(['MGET', KEY, ISOLATED])).toEqual([POISON, null]);
  });
});

describe('without Redis', () => {
  test('none given: the memory cache hits, and a write makes it forget', async () => {
    const handler = await wired({});
    const outcomes = [await read(handler), await read(handler), await write(handler), await read(handler)];
    expect(outcomes.map(({ headers }) => headers['x-cache'] ?? headers['x-invalidation'])).toEqual([
      'miss',
      'hit',
      'done',
      'miss',
    ]);
    expect(await send(handler, 'GET', '/ready')).toMatchObject({
      status: 200,
      body: { checks: { postgres: { status: 'up' } } },
    });
  });

  test('one that does not answer: it is served from the database, and a write stays pending', async () => {
    const handler = await wired({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    const written = await write(handler);
    expect(written).toMatchObject({ status: 200, headers: { 'x-invalidation': 'pending' } });
    expect(await read(handler)).toMatchObject({
      headers: { 'x-cache': 'bypass' },
      body: { version: written.body.version },
    });
    expect(await send(handler, 'GET', '/ready')).toMatchObject({
      status: 503,
      body: { checks: { redis: { status: 'down' }, postgres: { status: 'up' } } },
    });
  });
});

describe('a Redis that comes later', () => {
  const persistent = { args: ['--appendonly', 'yes', '--appendfsync', 'always'] };

  test('is used then, and claimed', async () => {
    const server = await ownRedis(persistent);
    await server.kill('SIGKILL');
    const handler = await wired({ REDIS_URL: server.url });
    expect((await read(handler)).headers).toMatchObject({ 'x-cache': 'bypass' });
    await server.restart();
    while ((await read(handler)).headers['x-cache'] !== 'hit') await sleep(20);
    expect(await (await lookInto(server.url)).send(['GET', 'cutover:env'])).toBe('test');
  });

  test('and is in use under another NODE_ENV is not used', async () => {
    const server = await ownRedis(persistent);
    const look = await lookInto(server.url);
    await look.send(['MSET', 'cutover:env', 'production', KEY, POISON]);
    await server.kill('SIGKILL');
    const handler = await wired({ REDIS_URL: server.url });
    await server.restart();
    await look.ready(10_000);
    // Its claim is the first command that it sends, and INFO the last.
    const claimed = async () =>
      /name=cutover-api .*cmd=info/.test(String(await look.send(['CLIENT', 'LIST'])));
    while (!(await claimed())) await sleep(20);
    await sleep(50);
    for (let reads = 0; reads < 5; reads += 1) {
      expect(await read(handler)).toMatchObject({ status: 200, headers: { 'x-cache': 'bypass' } });
    }
    expect((await write(handler)).headers).toMatchObject({ 'x-invalidation': 'pending' });
    expect(await look.send(['KEYS', '*'])).toEqual(expect.arrayContaining(['cutover:env', KEY]));
  });
});

describe('a path that API Gateway has decoded', () => {
  let handler: Handler;

  beforeAll(async () => {
    handler = await wired({});
  });

  test.each([
    ['a\nb', 'userId "a\\nb" has control characters'],
    ['a\u0000', 'userId "a\\u0000" has control characters'],
    ['a\tb', 'userId "a\\tb" has control characters'],
    ['a:b', 'userId "a:b" has a ":"'],
  ])('with the bad id %j is refused for it', async (id, detail) => {
    expect(await send(handler, 'GET', `/api/users/${id}/mocs`)).toMatchObject({
      status: 400,
      body: { detail },
    });
  });

  test.each(['a b', 'a#b', 'a%41b', 'a\\b', 'ü', ' ', 'a+b', 'a&b=c'])('keeps the good id %j', async (id) => {
    const { status, body } = await send(handler, 'PUT', `/api/users/u/albums/${id}`, '{"data":{}}');
    expect({ status, id: body.id }).toEqual({ status: 200, id });
  });
});
