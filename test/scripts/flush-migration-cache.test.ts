import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { freePort } from '../../rehearsal/servers/process.ts';
import { cutover } from '../support/cli.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedis } from '../support/servers.ts';

const DUE = ['mocs:user:1:list', 'gallery:1', 'v2:wishlist:1', 'cw:staging:albums:1'];
const KEPT = [
  'sessions:1',
  'ratelimit:1',
  'user-profiles:1',
  'v2:sessions:2',
  'cw:production:mocs:1',
  'mocsX:1',
];
const ALL = [...DUE, ...KEPT].sort();

let url: string;
let redis: RedisConnection;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
});

beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  await redis.send(['MSET', ...ALL.flatMap((key) => [key, `value of ${key}`])]);
});

const keys = async () => ((await redis.send(['KEYS', '*'])) as string[]).sort();
const flush = (args: readonly string[], environment: Record<string, string> = {}) =>
  cutover(['flush', ...args], { REDIS_URL: url, NODE_ENV: 'staging', ...environment });

test('deletes the cached collections in every namespace, and says so', async () => {
  const { exitCode, stdout, stderr } = await flush([]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(await keys()).toEqual([...KEPT].sort());
  expect(stdout).toMatch(
    /^flushed {2}4 of 10 keys in [\d.]+ s \(mocs:\* gallery:\* wishlist:\* albums:\* feature_flags:\* flag:\*\)$/m,
  );
  expect(stdout).toMatch(/^preserved {2}4 keys \(sessions:\* ratelimit:\* user-profiles:\*/m);
});

test.each([
  ['--dry-run', ['--dry-run'], {}],
  ['DRY_RUN=true', [], { DRY_RUN: 'true' }],
])('%s counts, shows the first keys, and deletes nothing', async (_name, args, environment) => {
  const { exitCode, stdout } = await flush(args, environment);
  expect(exitCode).toBe(0);
  expect(await keys()).toEqual(ALL);
  expect(stdout).toMatch(/^would flush {2}4 of 10 keys/m);
  for (const key of DUE) expect(stdout).toContain(`  ${JSON.stringify(key)}\n`);
  for (const key of KEPT) expect(stdout).not.toContain(JSON.stringify(key));
});

test('--json prints the figures and nothing else', async () => {
  const { exitCode, stdout, stderr } = await flush(['--json', '--dry-run']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { samples, ...figures } = JSON.parse(stdout);
  expect(figures).toEqual({
    dryRun: true,
    scanned: 10,
    flushed: 4,
    preserved: 4,
    seconds: expect.any(Number),
  });
  expect(samples.sort()).toEqual([...DUE].sort());
});

test.each([
  ['REDIS_URL is not set', { REDIS_URL: '' }],
  ['NODE_ENV= cannot name a namespace', { NODE_ENV: '' }],
  ['DRY_RUN=maybe is not a switch', { DRY_RUN: 'maybe' }],
])('%s: exit code 2, and nothing is deleted', async (message, environment) => {
  const { exitCode, stdout, stderr } = await flush([], environment);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(await keys()).toEqual(ALL);
});

test('a Redis that does not answer: a message that names it, and no stack', async () => {
  const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
  const { exitCode, stdout, stderr } = await flush([], { REDIS_URL });
  expect({ failed: exitCode === 1 || exitCode === 2, stdout }).toEqual({ failed: true, stdout: '' });
  expect(stderr).toMatch(new RegExp(`ECONNREFUSED ${new URL(REDIS_URL).host}$`, 'm'));
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('a user who may not delete: exit code 1 with the reason, and nothing is deleted', async () => {
  await redis.send(['ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@all', '-unlink']);
  const { exitCode, stderr } = await flush([], { REDIS_URL: url.replace('//', '//reader:secret@') });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("NOPERM this user has no permissions to run the 'unlink' command");
  expect(stderr).not.toContain('secret');
  expect(await keys()).toEqual(ALL);
});
