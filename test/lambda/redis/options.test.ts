import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../../../lambda/contract/errors.ts';
import { redisOptionsOf } from '../../../lambda/redis/options.ts';

const IAM = {
  REDIS_URL: 'rediss://runtime@cache.example:6379',
  REDIS_AUTH: 'iam',
  REDIS_IAM_CACHE: 'Cutover-Cache',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKID',
  AWS_SECRET_ACCESS_KEY: 'secret',
};

test('without REDIS_URL there is no Redis', () => {
  expect(redisOptionsOf({})).toBeUndefined();
  expect(redisOptionsOf({ REDIS_URL: '', REDIS_AUTH: 'iam' })).toBeUndefined();
});

test.each([
  [{}, false],
  [{ REDIS_CLUSTER: '0' }, false],
  [{ REDIS_CLUSTER: 'false', REDIS_AUTH: 'url' }, false],
  [{ REDIS_CLUSTER: 'true', REDIS_AUTH: '' }, true],
  [{ REDIS_CLUSTER: '1' }, true],
])('%j with a URL alone: cluster %j', (environment, cluster) => {
  const url = 'rediss://user:password@cache.example:6379';
  expect(redisOptionsOf({ REDIS_URL: url, ...environment })).toEqual({ url, cluster, iam: undefined });
});

test('a password of its own may hold any letters', () => {
  const { url } =
    redisOptionsOf({ REDIS_URL: 'rediss://user@cache.example:6379', REDIS_PASSWORD: 'p/w?#%@:' }) ?? {};
  expect(url).toBe('rediss://user:p%2Fw%3F%23%25%40%3A@cache.example:6379');
});

test('IAM takes cache, region and, each time anew, the credentials', () => {
  const environment: Record<string, string | undefined> = { ...IAM };
  const { iam } = redisOptionsOf(environment) ?? {};
  expect(iam).toMatchObject({ cache: 'Cutover-Cache', region: 'eu-west-1' });
  expect(iam?.credentials()).toEqual({ accessKeyId: 'AKID', secretAccessKey: 'secret' });
  environment['AWS_SESSION_TOKEN'] = 'session';
  environment['AWS_ACCESS_KEY_ID'] = 'another';
  expect(iam?.credentials()).toEqual({
    accessKeyId: 'another',
    secretAccessKey: 'secret',
    sessionToken: 'session',
  });
  delete environment['AWS_SECRET_ACCESS_KEY'];
  expect(() => iam?.credentials()).toThrow(/AWS_SECRET_ACCESS_KEY is not set.*export/);
});

describe('refused, with the variable and the remedy:', () => {
  test.each([
    [{ REDIS_URL: 'http://cache.example' }, 'REDIS_URL=http://cache.example', 'write redis://'],
    [{ REDIS_URL: 'redis://h', REDIS_CLUSTER: 'yes' }, 'REDIS_CLUSTER=yes', 'use true, false'],
    [{ REDIS_URL: 'redis://h:1/3', REDIS_CLUSTER: '1' }, 'database 3', 'remove it'],
    [{ REDIS_URL: 'redis://h', REDIS_AUTH: 'IAM' }, 'REDIS_AUTH=IAM', 'use url'],
    [{ ...IAM, REDIS_URL: 'redis://runtime@h' }, 'REDIS_URL=redis://***@h', 'write rediss://'],
    [{ ...IAM, REDIS_URL: 'rediss://h' }, 'no user', 'rediss://user@host'],
    [{ ...IAM, REDIS_URL: 'rediss://u:hunter2@h' }, 'a password', 'rediss://user@host'],
    [{ REDIS_URL: 'redis://u:hunter2@h', REDIS_PASSWORD: 'x' }, 'REDIS_PASSWORD', 'remove one'],
    [{ ...IAM, REDIS_PASSWORD: 'hunter2' }, 'a password', 'rediss://user@host'],
    [{ ...IAM, REDIS_IAM_CACHE: undefined }, 'REDIS_IAM_CACHE', 'replication group'],
    [{ ...IAM, AWS_REGION: '' }, 'AWS_REGION', 'that of the server'],
  ])('%j', (environment, named, remedy) => {
    const read = () => redisOptionsOf(environment);
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(named);
    expect(read).toThrow(remedy);
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });
});
