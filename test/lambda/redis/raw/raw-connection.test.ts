import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openRaw, type RawConnection, type RawOptions } from '../../../../lambda/redis/raw/raw-connection.ts';
import type { RedisServer } from '../../../../rehearsal/servers/redis.ts';
import { openDoor } from '../../../support/door.ts';
import { flakyRedis } from '../../../support/flaky-redis.ts';
import { ownRedis } from '../../../support/servers.ts';

const opened: RawConnection[] = [];
afterAll(() => {
  for (const each of opened) each.close();
});

async function open(options: Partial<RawOptions> & { url: string }): Promise<RawConnection> {
  const connection = await openRaw({ name: 'test', connectTimeoutMs: 2000, silenceMs: 300, ...options });
  opened.push(connection);
  return connection;
}

/** A server that says this to whoever comes. */
const saying = (text: string) => openDoor((caller) => void caller.write(text));

let server: RedisServer;
let secure: RedisServer;
beforeAll(async () => {
  const users = {
    ada: ['on', '>pass word', '~*', '+@all'],
    limited: ['on', '>secret', '~*', '+ping', '+select'],
  };
  [server, secure] = await Promise.all([ownRedis({ users }), ownRedis({ tls: true })]);
});

test('sends, in the order of the commands, and decodes', async () => {
  const { send } = await open({ url: server.url });
  const answers = await Promise.all([
    send(['SET', Buffer.from([0xff, 0x0d, 0x0a]), 'é']),
    send(['GET', Buffer.from([0xff, 0x0d, 0x0a])]),
    send(['GET', 'nothing']),
    send(['CLIENT', 'GETNAME']),
    send(['LPUSH', 'list', 'a', 'b']),
    send(['LRANGE', 'list', '0', '-1']),
  ]);
  const [a, b] = [Buffer.from('a'), Buffer.from('b')];
  expect(answers).toEqual(['OK', Buffer.from('é'), null, Buffer.from('test'), 2, [b, a]]);
  await expect(send(['LPUSH'])).rejects.toMatchObject({
    message: expect.stringMatching(/^ERR wrong number/),
  });
  expect(await send(['PING'])).toBe('PONG');
});

test('a user, a password and a database', async () => {
  const { send } = await open({ url: server.url.replace('//', '//ada:pass%20word@').concat('/3') });
  expect(String(await send(['ACL', 'WHOAMI']))).toBe('ada');
  expect(String(await send(['CLIENT', 'INFO']))).toMatch(/ db=3 /);
});

test('a user who may not give the connection a name', async () => {
  const { send } = await open({ url: server.url.replace('//', '//limited:secret@') });
  expect(await send(['PING'])).toBe('PONG');
});

test('TLS', async () => {
  const { send } = await open({ url: secure.url, ca: secure.ca });
  expect(await send(['PING'])).toBe('PONG');
});

describe('who cannot be talked to', () => {
  test.each<[string, () => Promise<RawConnection>, RegExp]>([
    [
      'a wrong password',
      () => open({ url: server.url.replace('//', '//ada:wrong@') }),
      /WRONGPASS .*correct the user/,
    ],
    ['an unknown CA', () => open({ url: secure.url }), /set NODE_EXTRA_CA_CERTS/],
    [
      'TLS where there is none',
      () => open({ url: server.url.replace('redis:', 'rediss:') }),
      /write redis:\/\/ in REDIS_URL if it has no TLS/,
    ],
    [
      'no TLS where there is',
      () => open({ url: secure.url.replace('rediss:', 'redis:') }),
      /if the server expects TLS, write rediss:/,
    ],
    [
      'no Redis',
      async () => open({ url: await saying('HTTP/1.1 400 Bad Request\r\n') }),
      /"HTTP\/1.1 400 Bad Req", which is no reply/,
    ],
    [
      'a silent one',
      async () => open({ url: (await flakyRedis({ first: ['is silent'] })).url, connectTimeoutMs: 200 }),
      /no connection to 127.0.0.1:\d+ within 200 ms/,
    ],
    ['a database that is not there', () => open({ url: `${server.url}/99` }), /DB index is out of range/],
  ])('%s', async (_what, opening, message) => {
    await expect(opening()).rejects.toThrow(message);
  });
});

test('a server that falls silent is left', async () => {
  const { send } = await open({ url: server.url });
  await server.kill('SIGSTOP');
  await expect(Promise.all([send(['PING']), send(['PING'])])).rejects.toThrow(/no reply within 300 ms/);
  await server.kill('SIGCONT');
  await expect(send(['PING'])).rejects.toMatchObject({ name: 'RedisUnavailableError' });
});

test('one that is idle is not', async () => {
  const { send } = await open({ url: server.url, silenceMs: 50 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await send(['PING'])).toBe('PONG');
});
