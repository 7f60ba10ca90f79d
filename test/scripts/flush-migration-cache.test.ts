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
  ({ url } = await ownRedis({ args: ['--enable-debug-command', 'local'] }));
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
    /^flushed {2}4 of 10 keys in [\d.]+ s \(mocs:\* gallery:\* wishlist:\* albums:\* feature_flags:\* flag:\* query_cache:\*\)$/m,
  );
  expect(stdout).toMatch(/^preserved {2}4 keys \(sessions:\* ratelimit:\* user-profiles:\*/m);
});

test.each([
  ['--dry-run', ['--dry-run'], {}],
  ['DRY_RUN=true', [], { DRY_RUN: 'true' }],
])('%s counts, shows the first keys, and deletes nothing', async (_name, args, environment) => {
  const digest = await redis.send(['DEBUG', 'DIGEST']);
  const { exitCode, stdout } = await flush(args, environment);
  expect(exitCode).toBe(0);
  expect(await redis.send(['DEBUG', 'DIGEST'])).toBe(digest);
  expect(await keys()).toEqual(ALL);
  expect(stdout).toMatch(/^would flush {2}4 of 10 keys/m);
  for (const key of DUE) expect(stdout).toContain(`  ${JSON.stringify(key)}\n`);
  const unclassified = ['cw:production:mocs:1', 'mocsX:1'];
  for (const key of unclassified) expect(stdout.split('(no pattern)').at(-1)).toContain(JSON.stringify(key));
  for (const key of KEPT.filter((each) => !unclassified.includes(each))) {
    expect(stdout).not.toContain(JSON.stringify(key));
  }
});

test('--json prints the figures and nothing else', async () => {
  const { exitCode, stdout, stderr } = await flush(['--json', '--dry-run']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { classes, ...figures } = JSON.parse(stdout);
  expect(figures).toEqual({
    ...{ dryRun: true, complete: true, restarts: 0 },
    ...{ scanned: 10, keys: 10, flushed: 4, preserved: 4, seconds: expect.any(Number) },
  });
  expect(classes).toContainEqual({
    ...{ pattern: 'gallery:*', fate: 'flush', keys: 1 },
    survey: { bytes: expect.any(Number), ttlSeconds: [], lasting: 1, samples: ['gallery:1'] },
  });
});

test('patterns of one’s own, a pace and a limit', async () => {
  const own = ['--pattern', 'mocs*', 'user-*', '--preserve', 'v2:*', 'mocs:user:*'];
  const { exitCode, stdout } = await flush([...own, '--max-latency-ms', '0', '--limit-seconds', '5']);
  expect(exitCode).toBe(0);
  // What the registry preserves stays as well.
  expect(await keys()).toEqual(ALL.filter((key) => key !== 'mocsX:1'));
  expect(stdout).toMatch(/^flushed {2}1 of 10 keys in [\d.]+ s \(mocs\* user-\*\)$/m);
});

test('only one namespace, for a way back', async () => {
  const { exitCode } = await flush(['--namespace', 'v2']);
  expect(exitCode).toBe(0);
  expect(await keys()).toEqual(ALL.filter((key) => key !== 'v2:wishlist:1'));
});

test('stopped at its limit: exit code 1, what was done, and that running it again goes on', async () => {
  await redis.send(['CLIENT', 'PAUSE', '60000', 'WRITE']);
  const { exitCode, stderr } = await flush(['--limit-seconds', '0.2']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/no reply|stopped at its limit|the connection is lost/);
  await redis.send(['CLIENT', 'UNPAUSE']);
  expect((await flush([])).exitCode).toBe(0);
  expect(await keys()).toEqual([...KEPT].sort());
});

interface BadUsage {
  readonly message: string;
  readonly environment?: Record<string, string>;
  readonly args?: readonly string[];
}

test.each<BadUsage>([
  { message: 'REDIS_URL is not set', environment: { REDIS_URL: '' } },
  { message: 'NODE_ENV= cannot name a namespace', environment: { NODE_ENV: '' } },
  { message: 'DRY_RUN=maybe is not a switch', environment: { DRY_RUN: 'maybe' } },
  {
    message: 'REDIS_URL=http://127.0.0.1:1 is not a redis://',
    environment: { REDIS_URL: 'http://127.0.0.1:1' },
  },
  { message: '--pattern * matches every key', args: ['--pattern', '*'] },
  { message: '--max-latency-ms is a number of 0 or more', args: ['--max-latency-ms', 'fast'] },
  { message: "unknown option '--patern'", args: ['--patern', 'mocs:*'] },
])('$message: exit code 2, and nothing is deleted', async ({ message, environment, args = [] }) => {
  const { exitCode, stdout, stderr } = await flush(args, environment);
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
  expect(stderr).toMatch(/NOPERM this user has no permissions to run the 'unlink' command.*; give the user/);
  expect(stderr).not.toContain('secret');
  expect(await keys()).toEqual(ALL);
});
