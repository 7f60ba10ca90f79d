import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { explained } from '../../../lambda/redis/errors.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const PATIENCE_MS = 10_000;

let secure: RedisServer;
let plain: RedisServer;
const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  const users = { runtime: ['on', '>p@ss word', '~mocs:*', '+get'] };
  [secure, plain] = await Promise.all([ownRedis({ tls: true, users }), ownRedis()]);
});
afterAll(() => {
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** What a connection's first command is rejected with, and what the listener has been told by then. */
async function refusal(url: string, ca?: string) {
  const told: Error[] = [];
  const redis = connected({
    url,
    ca,
    name: 'refused',
    connectTimeoutMs: 500,
    waitForConnectionMs: PATIENCE_MS,
    maxAttempts: 1,
    onError: (error) => told.push(error),
  });
  const rejection: unknown = await redis.send(['GET', 'mocs:a']).catch((error: unknown) => error);
  return { rejection, told };
}

test('a server with TLS, a user and a password is used as any other', async () => {
  const url = `rediss://runtime:${encodeURIComponent('p@ss word')}@127.0.0.1:${secure.port}`;
  const redis = await lookInto(url, { ca: secure.ca });
  expect(await redis.send(['GET', 'mocs:a'])).toBeNull();
  await expect(redis.send(['GET', 'wishlist:a'])).rejects.toThrow(/^NOPERM /);
  expect(await redis.send(['GET', 'mocs:a'])).toBeNull();
});

describe('a connection that cannot be made is rejected, and the message names the remedy', () => {
  const cases: [string, () => Promise<{ rejection: unknown; told: Error[] }>, string, string][] = [
    ['an unknown CA', () => refusal(secure.url), 'RedisTlsError', 'set NODE_EXTRA_CA_CERTS'],
    [
      'rediss:// to a port without TLS',
      () => refusal(`rediss://127.0.0.1:${plain.port}`),
      'RedisUnavailableError',
      ' redis://',
    ],
    [
      'redis:// to a port with TLS',
      () => refusal(`redis://127.0.0.1:${secure.port}`),
      'RedisUnavailableError',
      ' rediss://',
    ],
    [
      'a wrong password',
      () => refusal(`rediss://runtime:wrong@127.0.0.1:${secure.port}`, secure.ca),
      'RedisAuthError',
      'correct the user and the password of REDIS_URL',
    ],
  ];
  test.each(cases)('%s', async (_, refused, name, remedy) => {
    const { rejection, told } = await refused();
    expect(rejection).toMatchObject({
      name: 'RedisUnavailableError',
      message: expect.stringContaining(remedy),
      cause: expect.objectContaining({ name }),
    });
    expect(told.map((each) => each.name)).toEqual([name]);
    expect(told[0]?.message).toMatch(/^redis: /);
    expect(told[0]?.message).toContain(remedy);
    expect(String(told[0]?.message)).not.toContain('wrong@');
  });
});

describe('the remedy of', () => {
  const failing = (code: string) => Object.assign(new Error('what node says'), { code });
  const context = { tls: true, iam: false, handshaking: false };

  test.each([
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'name a host of its certificate'],
    ['CERT_HAS_EXPIRED', 'renew the certificate'],
    ['EPROTO', 'name a port with TLS'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'NODE_EXTRA_CA_CERTS'],
  ])('%s', (code, remedy) => {
    expect(explained(failing(code), context)).toMatchObject({
      name: 'RedisTlsError',
      code: 'CUTOVER_REDIS_TLS',
      message: expect.stringContaining(remedy),
      cause: expect.objectContaining({ code }),
    });
  });

  test('a token that is not accepted names what AWS compares', () => {
    const error = explained(new Error('WRONGPASS invalid username-password pair'), { ...context, iam: true });
    expect(error).toMatchObject({
      code: 'CUTOVER_REDIS_AUTH',
      message: expect.stringContaining('REDIS_IAM_CACHE'),
    });
  });

  test('what is no matter of configuration stays what it is', () => {
    for (const code of ['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'ECONNRESET']) {
      const error = failing(code);
      expect(explained(error, context)).toBe(error);
    }
  });
});
