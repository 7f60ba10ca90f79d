import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createClient } from '@redis/client';
import { lookInto } from '../../support/redis.ts';
import { ownRedis, ownWorkspace } from '../../support/servers.ts';
import { isAlive } from './remains.ts';

const PATH = process.env['PATH'];

afterEach(() => {
  process.env['PATH'] = PATH;
});

async function ask(url: string, ...command: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  try {
    await client.connect();
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

test('a restart gives another process on the same port, empty', async () => {
  const redis = await ownRedis();
  const { port, pid, url } = redis;
  await ask(url, 'SET', 'k', 'v');

  await redis.restart();

  expect(redis.pid).not.toBe(pid);
  expect(isAlive(pid)).toBe(false);
  expect({ port: redis.port, url: redis.url }).toEqual({ port, url });
  expect(await ask(url, 'GET', 'k')).toBeNull();
});

test('with persistence the data survives kill -9', async () => {
  const redis = await ownRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  await ask(redis.url, 'SET', 'k', 'v');

  await redis.kill('SIGKILL');
  await expect(ask(redis.url, 'PING')).rejects.toThrow('ECONNREFUSED');
  await redis.restart();

  expect(await ask(redis.url, 'GET', 'k')).toBe('v');
});

test('a frozen server answers after it has been thawed', async () => {
  const redis = await ownRedis();
  await redis.kill('SIGSTOP');
  const answer = ask(redis.url, 'PING');
  const first = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 200, 'silence'))]);
  await redis.kill('SIGCONT');

  expect([first, await answer]).toEqual(['silence', 'PONG']);
});

test('it listens on the loopback address only and saves nothing', async () => {
  const redis = await ownRedis();
  const settings = await ask(redis.url, 'CONFIG', 'GET', 'bind', 'save', 'appendonly');
  expect({ ...(settings as object) }).toEqual({ bind: '127.0.0.1', save: '', appendonly: 'no' });
});

test('a port in use and an unknown option are errors with the words of the server', async () => {
  const { port } = await ownRedis();
  await expect(ownRedis({ port })).rejects.toThrow(
    new RegExp(`^servers: Redis on port ${port} ended.*already in use`, 's'),
  );
  await expect(ownRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(
    /ended while starting.*no-such-option/s,
  );
});

test('without a server on the PATH it says what to run', async () => {
  process.env['PATH'] = (await ownWorkspace()).folder;
  await expect(ownRedis()).rejects.toThrow(
    'no redis-server or valkey-server on the PATH: `node scripts/setup.mjs`',
  );
});

test('a server older than Redis 7 is refused', async () => {
  const { folder } = await ownWorkspace();
  const file = path.join(folder, 'redis-server');
  const reply = `'redis_version:6.2.14\\r\\nprocess_id:' + process.pid + '\\r\\nloading:0\\r\\n'`;
  const program = `require('net').createServer((s) => s.write(${reply})).listen(process.argv[3], '127.0.0.1')`;
  writeFileSync(file, `#!${process.execPath}\n${program}\n`);
  chmodSync(file, 0o755);
  process.env['PATH'] = `${folder}${path.delimiter}${PATH}`;

  await expect(ownRedis()).rejects.toThrow(
    'redis-server is version 6.2.14: install 7 or newer, or set REDIS_URL',
  );
});

test('with TLS it answers those who trust its CA, and nobody else', async () => {
  const { url, ca, restart } = await ownRedis({ tls: true });
  expect(url).toMatch(/^rediss:/);
  expect(await (await lookInto(url, { ca })).send(['PING'])).toBe('PONG');
  await expect(ask(url, 'PING')).rejects.toThrow(/certificate/);
  await expect(ask(url.replace('rediss', 'redis'), 'PING')).rejects.toThrow();
  await restart();
  expect(await (await lookInto(url, { ca })).send(['PING'])).toBe('PONG');
});

test('its users are there, after a restart, too', async () => {
  const redis = await ownRedis({ users: { reader: ['on', '>secret', '~mocs:*', '+get'] } });
  const url = redis.url.replace('//', '//reader:secret@');
  for (const again of [false, true]) {
    if (again) await redis.restart();
    expect(await ask(url, 'GET', 'mocs:a')).toBeNull();
    await expect(ask(url, 'SET', 'mocs:a', 'x')).rejects.toThrow(/^NOPERM /);
  }
});
