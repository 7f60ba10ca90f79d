import { createHash, createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { AwsCredentials } from '../../../lambda/aws/credentials.ts';
import { iamCredentials, iamToken } from '../../../lambda/redis/iam.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { callsOf, connected, lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const PATIENCE_MS = 10_000;
const REGION = 'eu-west-1';
const USER = 'runtime-user';
const SESSION: AwsCredentials = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
  sessionToken: 'a/session+token=',
};

/** The token by the specification of Signature Version 4 (docs.aws.amazon.com/IAM, "create a signed request"). */
function expectedToken(
  cache: string,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  at: Date,
) {
  const stamp = at.toISOString().replace(/[:-]|\.\d{3}/g, '');
  const scope = `${stamp.slice(0, 8)}/${REGION}/elasticache/aws4_request`;
  const parameters: Record<string, string> = {
    Action: 'connect',
    User: USER,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': stamp,
    'X-Amz-Expires': '900',
    ...(sessionToken && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  };
  const query = Object.keys(parameters)
    .sort()
    .map((name) => `${name}=${encodeURIComponent(parameters[name] ?? '')}`)
    .join('&');
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const request = ['GET', '/', query, `host:${cache}\n`, 'host', sha256('')].join('\n');
  const signed = ['AWS4-HMAC-SHA256', stamp, scope, sha256(request)].join('\n');
  const key = scope
    .split('/')
    .reduce<Buffer | string>(
      (from, part) => createHmac('sha256', from).update(part).digest(),
      `AWS4${secretAccessKey}`,
    );
  const signature = createHmac('sha256', key).update(signed).digest('hex');
  return { url: `${cache}/?${query}`, signature };
}

/** Parameters in any order are the same request. */
const parts = (token: string) => token.split(/[?&]/).sort();

afterEach(() => void jest.useRealTimers());

describe('a token', () => {
  test.each([
    ['with a session', SESSION],
    ['without one', { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }],
  ])('%s is what node:crypto computes, for the name of the cache in lower case', async (_, credentials) => {
    const at = new Date('2026-11-20T15:04:05.678Z');
    jest.useFakeTimers({ now: at, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const token = await iamToken({ cache: 'My-Cache', region: REGION, credentials: () => credentials }, USER);
    const { url, signature } = expectedToken('my-cache', credentials, at);
    expect(parts(token)).toEqual(parts(`${url}&X-Amz-Signature=${signature}`));
    expect(token).toMatch(/^my-cache\/\?Action=connect&User=runtime-user&/);
  });
});

test('however often a client connects, one timer brings new tokens, and it ends with the connection', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const asked = jest.fn(() => SESSION);
  const source = { cache: 'cache', region: REGION, credentials: asked };
  const { provider, dispose } = iamCredentials(source, { user: USER, onError: () => {} });
  const onNext = jest.fn();
  const listener = { onNext, onError: () => {} };
  await provider.subscribe(listener);
  await provider.subscribe(listener);
  expect(jest.getTimerCount()).toBe(1);
  const HOURS_12 = 12 * 3_600_000;
  jest.advanceTimersByTime(HOURS_12 - 1);
  expect(asked).toHaveBeenCalledTimes(3);
  const late = provider.subscribe(listener);
  dispose();
  await late;
  expect(jest.getTimerCount()).toBe(0);
  expect(onNext).not.toHaveBeenCalled();
});

/** Lets the user in with the tokens of this second and the next ones, and with nothing else. */
async function acceptTokens(server: RedisServer, credentials: AwsCredentials): Promise<void> {
  const passwords: string[] = [];
  const begin = Math.floor(Date.now() / 1000);
  const source = { cache: 'cache', region: REGION, credentials: () => credentials };
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  for (let second = begin - 1; second < begin + 20; second += 1) {
    jest.setSystemTime(second * 1000);
    passwords.push(`>${await iamToken(source, USER)}`);
  }
  jest.useRealTimers();
  const rules = ['reset', 'on', '+@all', '~*', ...passwords];
  await (await lookInto(server.url)).send(['ACL', 'SETUSER', USER, ...rules]);
}

/** A connection as that user, and what it has been told. */
function connectedAs(server: RedisServer, credentials: () => AwsCredentials, reauthenticateEveryMs?: number) {
  const errors: Error[] = [];
  const redis = connected({
    url: `redis://${USER}@127.0.0.1:${server.port}`,
    name: 'iam',
    deadlineMs: PATIENCE_MS,
    iam: {
      cache: 'CACHE',
      region: REGION,
      credentials,
      ...(reauthenticateEveryMs !== undefined && { reauthenticateEveryMs }),
    },
    onError: (error) => errors.push(error),
  });
  return { redis, errors };
}

describe('a connection', () => {
  test('is made with a token, and again with a new one, of the credentials of that moment', async () => {
    const server = await ownRedis();
    await acceptTokens(server, SESSION);
    let credentials = SESSION;
    const asked = jest.fn(() => credentials);
    const { redis, errors } = connectedAs(server, asked);
    await redis.ready(PATIENCE_MS);
    expect(await redis.send(['ACL', 'WHOAMI'])).toBe(USER);
    expect(asked).toHaveBeenCalledTimes(1);

    const look = await lookInto(server.url);
    credentials = { ...SESSION, sessionToken: 'the next one' };
    await acceptTokens(server, credentials);
    await look.send(['CLIENT', 'KILL', 'USER', USER]);
    // It may not know yet.
    await redis.send(['PING']).catch(() => {});
    await redis.ready(PATIENCE_MS);
    expect(await redis.send(['ACL', 'WHOAMI'])).toBe(USER);
    expect(asked.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(errors.every(({ name }) => name !== 'RedisAuthError')).toBe(true);
  });

  test('that lives is authenticated again, and goes on when that fails', async () => {
    const server = await ownRedis();
    await acceptTokens(server, SESSION);
    const { redis, errors } = connectedAs(server, () => SESSION, 50);
    await redis.ready(PATIENCE_MS);
    const look = await lookInto(server.url);
    while ((await callsOf(look, 'auth')) < 3) await sleep(10);
    expect(errors).toEqual([]);
    expect(await callsOf(look, 'hello')).toBe(2 + 1);

    await look.send(['ACL', 'SETUSER', USER, 'resetpass', '>no token']);
    while (errors.length === 0) await sleep(10);
    expect(errors[0]?.message).toContain('WRONGPASS');
    expect(await redis.send(['ACL', 'WHOAMI'])).toBe(USER);

    redis.close();
    const after = await callsOf(look, 'auth');
    await sleep(200);
    expect(await callsOf(look, 'auth')).toBe(after);
  });

  test('whose token is refused, or cannot be signed, is tried again and says why', async () => {
    const server = await ownRedis();
    await (await lookInto(server.url)).send(['ACL', 'SETUSER', USER, 'on', '>no token']);
    const refused = connectedAs(server, () => SESSION);
    await expect(refused.redis.ready(200)).rejects.toThrow('elasticache:Connect');
    expect(refused.errors[0]).toMatchObject({ name: 'RedisAuthError' });

    let known = false;
    await acceptTokens(server, SESSION);
    const unsigned = connectedAs(server, () => {
      if (known) return SESSION;
      throw new Error('no credentials');
    });
    await expect(unsigned.redis.ready(200)).rejects.toThrow('no credentials');
    known = true;
    await unsigned.redis.ready(PATIENCE_MS);
    expect(await unsigned.redis.send(['ACL', 'WHOAMI'])).toBe(USER);
  });
});
