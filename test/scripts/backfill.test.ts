import { beforeAll, expect, test } from '@jest/globals';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { backfillCommand } from '../../scripts/backfill.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedis } from '../support/servers.ts';

const DUAL = { NODE_ENV: 'staging', CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '1' };
const KEYS = ['csrf:1', 'csrf:2', 'secure_session:1', 'cw:staging:csrf:2', 'mocs:1', 'rl:login:{1}'];

let url: string;
let redis: RedisConnection;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
  await redis.send(['MSET', ...KEYS.flatMap((key) => [key, 'value'])]);
});

const keys = async () => ((await redis.send(['KEYS', '*'])) as string[]).sort();
const run = (args: readonly string[], environment: Record<string, string> = {}) =>
  cutover(['backfill', ...args], { REDIS_URL: url, ...DUAL, ...environment });

test.concurrent('in another phase it is refused with exit code 2, before it connects', async () => {
  const { exitCode, stdout, stderr } = await run(['--to', 'prefixed'], {
    REDIS_URL: 'redis://127.0.0.1:1',
    CW_CACHE_DUAL_WRITE: '0',
  });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(
    /^backfill: --to prefixed is refused in the phase prefixed, .*CW_CACHE_DUAL_WRITE=1 .*\n$/,
  );
});

test.concurrent.each([
  [[], "required option '--to <home>'"],
  [['--to', 'v2'], 'Allowed choices are prefixed, legacy'],
])('%j is bad usage', async (args, message) => {
  const { exitCode, stderr } = await run(args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});

test.concurrent('where nobody answers it fails with exit code 1', async () => {
  const { exitCode, stderr } = await run(['--to', 'legacy'], { REDIS_URL: 'redis://127.0.0.1:1' });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('no connection');
});

test('a dry run shows what would be carried; then it is, and a second run changes nothing', async () => {
  const dry = await run(['--to', 'prefixed'], { DRY_RUN: '1' });
  expect({ exitCode: dry.exitCode, stderr: dry.stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(dry.stdout).toMatch(/^would carry {2}1 of 6 keys to cw:staging: in/m);
  expect(await keys()).toEqual([...KEYS].sort());

  const { exitCode, stdout, stderr } = await run(['--to', 'prefixed']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/^carried {2}1 of \d keys to cw:staging: in/m);
  expect(stdout).toMatch(/^csrf:\* +1 +1 +0 +0$/m);
  expect(stdout).toMatch(/^secure_session:\* +0 +0 +1 +0$/m);
  expect(stdout).toContain('rl:* stays: its points count in both homes, whatever CW_RL_PREFIX_ENABLED says');
  expect(stdout).toContain('secure_session: some keys hold what none of our stores writes');
  expect(await keys()).toEqual([...KEYS, 'cw:staging:csrf:1'].sort());

  const again = await run(['--to', 'prefixed', '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({
    ...{ to: 'prefixed', dryRun: false, carried: 0, complete: true },
    families: expect.arrayContaining([{ name: 'csrf', carried: 0, kept: 2, foreign: 0, gone: 0 }]),
  });

  await redis.send(['UNLINK', 'csrf:1']);
  const back = await run(['--to', 'legacy']);
  expect(back.stdout).toMatch(/^carried {2}1 of \d keys to the un-prefixed keys in/m);
  expect(await keys()).toEqual([...KEYS, 'cw:staging:csrf:1'].sort());
});

test('at its limit it stops with exit code 1', async () => {
  await redis.send([
    'MSET',
    ...Array.from({ length: 1000 }, (_, index) => [`csrf:${index}`, 'value']).flat(),
  ]);
  const { exitCode, stderr } = await run(['--to', 'prefixed', '--limit-seconds', '0']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('backfill: stopped at its limit');
});

test('--help names the order, the environment and the exit codes', () => {
  const help = helpOf(backfillCommand);
  for (const part of [
    ...['--to prefixed before CW_CACHE_DUAL_WRITE=0', '--to legacy before CW_CACHE_PREFIX_ENABLED=0'],
    ...['Running it again changes nothing', 'Environment: REDIS_URL', 'Exit codes: 0 done, 1 failed'],
  ]) {
    expect(help).toContain(part);
  }
});
