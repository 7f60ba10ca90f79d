import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CensusReport } from '../../lambda/flush/census/census.ts';
import { censusCommand } from '../../scripts/census.ts';
import { bar, describeCensus } from '../../scripts/census-text.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedis } from '../support/servers.ts';

const KEYS = ['mocs:1', 'mocs:2', 'v2:mocs:1', 'sessions:1', 'cw:staging:albums:1', 'jobs:1', '\u001b[2J:1'];

let url: string;
const census = (args: readonly string[], environment: Record<string, string> = {}) =>
  cutover(['census', ...args], { REDIS_URL: url, NODE_ENV: 'production', ...environment });

beforeAll(async () => {
  ({ url } = await ownRedis());
  const redis = await lookInto(url);
  await redis.send(['MSET', ...KEYS.flatMap((key) => [key, 'value'])]);
});

test.concurrent('prints tables with bars', async () => {
  const { exitCode, stdout, stderr } = await census([]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/^census {2}7 keys, \d+ B in [\d.]+ s$/m);
  expect(stdout).toMatch(/^legacy \(none\) +█+[▏▎▍▌▋▊▉]? +66\.7 % +2 +\d+ B +6 +\d+ B$/m);
  expect(stdout).toMatch(/^v2: +█+[▏▎▍▌▋▊▉]? +33\.3 % +1 +\d+ B +1 +\d+ B$/m);
  expect(stdout).toMatch(/^mocs:\* +cache +█.* 2 +100\.0 %$/m);
  expect(stdout).toMatch(/^sessions:\* +state +█.* 1 +100\.0 %$/m);
  expect(stdout).toMatch(/^jobs:\* +█/m);
  expect(stdout).toContain('cw:staging:* is the namespace of NODE_ENV=staging');
  expect(stdout).toContain('\\x1b[2J:1');
});

test.concurrent('--json prints the figures and nothing else; of a part, too, where the limit ends it', async () => {
  const args = ['--enable-debug-command', 'local'];
  const large = await ownRedis({ args });
  await (await lookInto(large.url)).send(['DEBUG', 'POPULATE', '5000', 'mocs:user', '10']);
  const ended = await census(['--json', '--limit-seconds', '0'], { REDIS_URL: large.url });
  const report = JSON.parse(ended.stdout) as CensusReport;
  expect({ exitCode: ended.exitCode, complete: report.complete }).toEqual({ exitCode: 1, complete: false });
  expect(report.classes).toMatchObject([{ namespace: '', family: 'mocs', keys: report.keys }]);
  expect(ended.stderr).toMatch(
    /^census: stopped at its limit after [\d.]+ s: \d+ of 5000 keys seen.*raise --limit-seconds.*\n$/,
  );
});

test.concurrent('without NODE_ENV: exit code 2', async () => {
  const { exitCode, stdout, stderr } = await census([], { NODE_ENV: '' });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(/^cache: NODE_ENV= cannot name a namespace; .*\n$/);
});

test('--help says what there is', () => {
  const help = helpOf(censusCommand);
  for (const phrase of [
    '--max-latency-ms',
    '--limit-seconds',
    '--json',
    'REDIS_URL',
    'Exit codes: 0 done, 1',
  ]) {
    expect(help).toContain(phrase);
  }
});

describe('the bar', () => {
  test.each([
    [0, ' '.repeat(20)],
    [0.000_01, `▏${' '.repeat(19)}`],
    [0.5, `${'█'.repeat(10)}${' '.repeat(10)}`],
    [0.525, `${'█'.repeat(10)}▌${' '.repeat(9)}`],
    [1, '█'.repeat(20)],
  ])('of %d', (share, expected) => {
    expect(bar(share)).toBe(expected);
  });
});

test('of an empty Redis there is little to say', () => {
  const report: CensusReport = {
    ...{ keys: 0, bytes: 0, vanished: 0, scanned: 0, expected: 0, seconds: 0.1, complete: true, restarts: 0 },
    ...{ classes: [], largest: [], unclassified: { keys: 0, bytes: 0, groups: [], otherKeys: 0 } },
    namespaces: [{ namespace: '', keys: 0, bytes: 0, cacheKeys: 0, cacheBytes: 0 }],
  };
  const text = describeCensus(report, 'production');
  expect(text).toContain('0 keys, 0 B');
  expect(text).toMatch(/^legacy \(none\) +0\.0 % +0 +0 B +0 +0 B$/m);
  expect(text).not.toMatch(/NaN|Infinity|undefined|families|of no family/);
});
