import { describe, expect, test } from '@jest/globals';
import type { Instance } from '../../../lambda/cache/presence.ts';
import { accessStringsOf } from '../../../lambda/contract/access.ts';
import { judgeInstances } from '../../../lambda/doctor/instances.ts';
import { isLoopback } from '../../../lambda/doctor/reach.ts';
import { TRIALS } from '../../../lambda/doctor/redis-rights.ts';
import {
  claimOf,
  clockOf,
  clusterModeOf,
  evictionOf,
  latencyOf,
  roleOf,
  usageOf,
  versionOf,
} from '../../../lambda/doctor/redis-server.ts';

test('every command of the runtime is tried', () => {
  const { serverless } = accessStringsOf({ phase: 'dual', env: 'test' });
  const commands = serverless.split(' ').flatMap((rule) => (rule.startsWith('+') ? [rule.slice(1)] : []));
  expect(commands.filter((name) => !(name in TRIALS))).toEqual([]);
  for (const [name, trial] of Object.entries(TRIALS)) expect(trial('key')[0]).toBe(name.toUpperCase());
});

test.each([
  ['redis_version:7.0.15', 'pass', 'Redis 7.0.15'],
  ['redis_version:6.2.14', 'fail', 'Redis 6.2.14 is too old'],
  ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1', 'pass', 'Valkey 8.0.1'],
  ['', 'fail', 'Redis unknown is too old'],
])('the version of %j: %s', async (info, outcome, text) => {
  expect(await versionOf(async () => info)).toMatchObject({ outcome, text: expect.stringContaining(text) });
});

test.each([
  ['redis_mode:cluster', true, 'pass'],
  ['redis_mode:cluster', false, 'fail'],
  ['redis_mode:standalone', true, 'fail'],
  ['redis_mode:standalone', false, 'pass'],
  ['server_mode:cluster', true, 'pass'],
])('%s where REDIS_CLUSTER is %j: %s', async (info, cluster, outcome) => {
  expect((await clusterModeOf(async () => info, cluster)).outcome).toBe(outcome);
});

test('a primary with a replica is none itself', async () => {
  expect((await roleOf(async () => 'role:master\r\nslave0:ip=10.0.0.1')).outcome).toBe('pass');
});

const MIB = 1024 * 1024;
const memory = (policy: string, percent: number, maxBytes = 100 * MIB) => ({
  ...{ policy, percent, maxBytes },
  usedBytes: (percent / 100) * maxBytes,
});

test.each([
  ['volatile-ttl', 100, 'pass'],
  ['volatile-lru', 10, 'warn'],
  ['noeviction', 97, 'warn'],
  ['noeviction', 98, 'fail'],
  ['noeviction', 0, 'warn'],
  ['allkeys-lfu', 0, 'fail'],
])('%s at %d %%: %s', (policy, percent, outcome) => {
  expect(evictionOf(memory(policy, percent)).outcome).toBe(outcome);
});

test.each([
  [75, 'pass', '75.0 MiB of 100.0 MiB, 75 %'],
  [76, 'warn', '76.0 MiB of 100.0 MiB, 76 %: above 75 %'],
])('a memory used to %d %%: %s', (percent, outcome, text) => {
  expect(usageOf(memory('volatile-ttl', percent))).toMatchObject({ outcome, text });
});

test('a memory without a limit', () => {
  expect(usageOf(memory('noeviction', 0, 0)).text).toContain('without a limit');
});

describe('a clock', () => {
  const between = { beganAt: 10_000, endedAt: 10_400 };
  test.each([
    [10_200, 'pass', 'as ours'],
    [9_200, 'pass', '800 ms behind ours'],
    [11_400, 'pass', '1000 ms ahead of ours'],
    [11_401, 'warn', '1001 ms ahead of ours: above 1000 ms'],
    [8_000, 'warn', '2000 ms behind ours: above 1000 ms'],
  ])('that says %d: %s', (at, outcome, text) => {
    expect(clockOf(at, between)).toMatchObject({ outcome, text });
  });
});

test('the latency is the median of 20, so that one slow answer is none', async () => {
  let asked = 0;
  const { outcome } = await latencyOf(async () => {
    asked += 1;
    if (asked === 3) await new Promise((resolve) => setTimeout(resolve, 50));
  });
  expect({ asked, outcome }).toEqual({ asked: 20, outcome: 'pass' });
});

test.each([
  [null, 'pass'],
  ['test', 'pass'],
  ['production', 'fail'],
])('a Redis claimed by %j: %s', async (claimed, outcome) => {
  expect((await claimOf(async () => claimed, 'test')).outcome).toBe(outcome);
});

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['::1', true],
  ['127.example.com', false],
  ['10.0.0.7', false],
])('%s is this machine: %j', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

describe('instances', () => {
  const instance = (more: Partial<Instance>): Instance => ({
    ...{ service: 'cutover-api', phase: 'legacy', env: 'test', mirror: false, startedAt: '' },
    ...more,
  });
  test.each<[string, Partial<Instance>[], string, RegExp]>([
    ['nobody', [], 'warn', /nobody has used this Redis/],
    ['two beside each other', [{}, { phase: 'isolated' }], 'pass', /in isolated; 1 cutover-api in legacy/],
    ['one that reads nothing', [{ phase: null }], 'pass', /1 cutover-api/],
    [
      'two apart',
      [{ service: 'legacy', mirror: true }, { phase: 'prefixed' }],
      'fail',
      /legacy and prefixed are/,
    ],
    ['isolated and dual', [{ phase: 'isolated' }, { phase: 'dual' }], 'fail', /dual and isolated are more/],
    ['another name', [{ env: 'production' }], 'fail', /run under production, and NODE_ENV is test/],
  ])('%s: %#', (_what, all, outcome, text) => {
    expect(judgeInstances(all.map(instance), 'test')).toMatchObject({
      outcome,
      text: expect.stringMatching(text),
    });
  });
});
