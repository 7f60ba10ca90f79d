import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { requireGate } from '../../../lambda/hooks/gate.ts';
import { type Aws, awsEnvironment, startAws } from '../../support/aws.ts';

const ENVIRONMENT = { ...process.env };
const MINUTE_MS = 60_000;
const NOW = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const CANARY = { functionName: 'api', version: '7', environment: 'test', minutes: 10 };
const VERSION = 'ExecutedVersion=7, FunctionName=api, Resource=api:live';
let aws: Aws;

beforeEach(async () => {
  aws = await startAws({ pagePoints: 1000 });
  process.env = { ...ENVIRONMENT, ...awsEnvironment(aws), AWS_MAX_ATTEMPTS: '1' };
});
afterAll(() => {
  process.env = { ...ENVIRONMENT };
});

const put = (
  name: string,
  value: number,
  more: { of?: string; minutesAgo?: number; service?: string } = {},
) => {
  const { of = '', minutesAgo = 2, service = 'cutover-api' } = more;
  aws.data.push({
    ...{ namespace: 'Cutover', name, value, at: NOW - minutesAgo * MINUTE_MS },
    dimensions: ['environment=test', ...(of.startsWith('route') ? [of] : []), `service=${service}`]
      .concat(of.startsWith('version') ? [of] : [])
      .join(', '),
  });
};
const serve = (requests: number, hits = 950, misses = 50) => {
  aws.data.push({
    ...{ namespace: 'AWS/Lambda', name: 'Invocations', value: requests, at: NOW - 2 * MINUTE_MS },
    dimensions: VERSION,
  });
  put('CacheHits', hits);
  put('CacheMisses', misses);
  put('RequestLatency', 20, { of: 'route=flags' });
};
const judged = () => requireGate(CANARY, NOW);

test('a canary without a fault keeps its traffic', async () => {
  serve(2000);
  put('ServerErrors', 1, { of: 'version=7' });
  await expect(judged()).resolves.toBeUndefined();
});

test('so does one of which too little is known', async () => {
  await expect(judged()).resolves.toBeUndefined();
  serve(100, 10, 90);
  await expect(judged()).resolves.toBeUndefined();
});

describe('it loses it by', () => {
  test.each<[string, () => void, string]>([
    ['its errors', () => put('ServerErrors', 40, { of: 'version=7' }), 'errors 2.00 % are not below 0.1 %'],
    ['misses', () => put('CacheMisses', 1000), 'hit rate 0.47 is not above 0.8'],
    ['slow hits', () => put('RequestLatency', 900, { of: 'route=flags' }), 'p95 of hits'],
    [
      'a lost connection',
      () => put('RedisConnectionFailures', 1, { of: 'version=7' }),
      '1 connections to Redis',
    ],
    [
      'a stale entry',
      () => put('StaleEntries', 1, { service: 'cutover-auditor' }),
      'the auditor found 1 entries',
    ],
  ])('%s', async (_what, fault, reason) => {
    serve(2000);
    fault();
    await expect(judged()).rejects.toThrow(
      `hooks: the gate does not hold for the canary of version 7: ${reason}`,
    );
  });

  test('no misses of the time in which its caches recovered', async () => {
    serve(2000);
    put('CacheMisses', 5000, { minutesAgo: 7 });
    await expect(judged()).resolves.toBeUndefined();
  });

  test('nothing of another version’s, or of before the canary', async () => {
    serve(2000);
    put('ServerErrors', 400, { of: 'version=6' });
    put('ServerErrors', 400, { of: 'version=7', minutesAgo: 11 });
    await expect(judged()).resolves.toBeUndefined();
  });
});
