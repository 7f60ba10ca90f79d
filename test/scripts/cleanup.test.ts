import { beforeAll, expect, test } from '@jest/globals';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { cleanupCommand } from '../../scripts/cleanup.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedis } from '../support/servers.ts';

const KEYS = ['mocs:1', 'v2:mocs:1', 'v2:albums:2', 'v2:sessions:1', 'v1:mocs:1', 'cw:staging:mocs:1'];

let url: string;
let redis: RedisConnection;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
  await redis.send(['MSET', ...KEYS.flatMap((key) => [key, 'value'])]);
});

const keys = async () => ((await redis.send(['KEYS', '*'])) as string[]).sort();
const cleanup = (args: readonly string[], environment: Record<string, string> = {}) =>
  cutover(['cleanup', ...args], { REDIS_URL: url, NODE_ENV: 'staging', ...environment });

test.concurrent('what is still read is refused with exit code 2, before it connects', async () => {
  const environment = { REDIS_URL: 'redis://127.0.0.1:1', MIGRATION_MODE: 'true' };
  const { exitCode, stdout, stderr } = await cleanup(['v2'], environment);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(/^cleanup: v2 is refused, .*MIGRATION_MODE=true.* deploy MIGRATION_MODE=false.*\n$/);
});

test.concurrent('a dry run shows what would go; then other keys go, and nothing else', async () => {
  const dry = await cleanup(['v2'], { DRY_RUN: '1' });
  expect({ exitCode: dry.exitCode, stderr: dry.stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(dry.stdout).toMatch(/^would flush {2}2 of 6 keys/m);
  expect(await keys()).toEqual([...KEYS].sort());

  const args = ['legacy', '--legacy-stopped', '--json'];
  const { exitCode, stdout } = await cleanup(args, { MIGRATION_MODE: 'true' });
  expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, dryRun: false, flushed: 1 });
  expect(await keys()).toEqual(KEYS.slice(1).sort());
});

test('--help names the order, the environment and the exit codes', () => {
  const help = helpOf(cleanupCommand);
  const steps = [
    ...['stop Express', 'cleanup legacy --legacy-stopped', 'deploy MIGRATION_MODE=false', 'cleanup v2'],
    ...['cleanup v1', 'Environment: REDIS_URL', 'Exit codes'],
  ];
  const places = steps.map((step) => help.indexOf(step));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((one, other) => one - other));
});
