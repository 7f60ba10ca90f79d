import { beforeAll, describe, expect, test } from '@jest/globals';
import { Hono } from 'hono';
import { withBreaker } from '../../../lambda/cache/breaker.ts';
import { ProblemError } from '../../../lambda/contract/problem.ts';
import { createApi } from '../../../lambda/http/app.ts';
import { type RouteLimit, rateLimit } from '../../../lambda/stores/rate-limits-route.ts';
import type { StateRedis } from '../../../lambda/stores/state-redis.ts';
import { connected, lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';
import { stateIn } from '../../support/state-redis.ts';
import { frozen, refused } from '../../support/unreachable-redis.ts';

const LIMIT: RouteLimit = {
  name: 'codes',
  points: 3,
  windowSeconds: 60,
  whenAway: 'deny',
  subjectOf: (c) => c.req.header('x-user') ?? 'nobody',
};

/** A route behind limits, in the API as it is. */
function apiWith(redis: StateRedis, ...limits: readonly RouteLimit[]) {
  const errors: unknown[] = [];
  const routes = new Hono();
  for (const limit of limits) routes.use(rateLimit(redis, limit));
  let served = 0;
  routes.get('/', (c) => c.json({ served: ++served }));
  const app = createApi({
    routes: { '/limited': routes },
    probes: {},
    onError: (error) => errors.push(error),
  });
  const ask = async (user = 'ada') => app.request('/limited', { headers: { 'x-user': user } });
  return { ask, errors, served: () => served };
}

describe('a limited route', () => {
  let redis: StateRedis;
  beforeAll(async () => {
    redis = stateIn({ send: (await lookInto((await ownRedis()).url)).send });
  });

  test('says what is left, and answers 429 when nothing is', async () => {
    const { ask, served } = apiWith(redis, LIMIT);
    for (const remaining of [2, 1, 0]) {
      const answer = await ask();
      expect(answer.status).toBe(200);
      expect(answer.headers.get('ratelimit-policy')).toBe('"codes";q=3;w=60');
      expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"codes";r=${remaining};t=(60|59)$`));
      expect(answer.headers.get('retry-after')).toBeNull();
    }
    const refusal = await ask();
    expect(refusal.status).toBe(429);
    expect(refusal.headers.get('ratelimit-policy')).toBe('"codes";q=3;w=60');
    expect(refusal.headers.get('ratelimit')).toMatch(/^"codes";r=0;t=(60|59)$/);
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(refusal.headers.get('content-type')).toBe('application/problem+json');
    expect(await refusal.json()).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'more than 3 requests in 60 s (limit codes); ask again later',
    });
    expect(served()).toBe(3);
    expect((await ask('grace')).status).toBe(200);
  });

  test('tells of each of its limits', async () => {
    const perDay = { ...LIMIT, name: 'codes-a-day', points: 100, windowSeconds: 86_400 };
    const { ask } = apiWith(redis, perDay, { ...LIMIT, name: 'codes-a-minute' });
    const answer = await ask();
    expect(answer.headers.get('ratelimit-policy')).toBe(
      '"codes-a-day";q=100;w=86400, "codes-a-minute";q=3;w=60',
    );
    expect(answer.headers.get('ratelimit')).toMatch(/^"codes-a-day";r=99;t=\d+, "codes-a-minute";r=2;t=\d+$/);
  });

  test('lets a request that says nobody be refused by whoever asks for the subject', async () => {
    const subjectOf = () => {
      throw new ProblemError(401, 'no session');
    };
    expect((await apiWith(redis, { ...LIMIT, subjectOf }).ask()).status).toBe(401);
  });
});

const AWAY = {
  'refuses each connection': async () => (await refused()).url,
  'is frozen': async () => (await frozen()).url,
  'has been killed': async () => {
    const { url, kill } = await ownRedis();
    await kill('SIGKILL');
    return url;
  },
};

describe.each(Object.entries(AWAY))('where Redis %s', (_how, open) => {
  let redis: StateRedis;
  beforeAll(async () => {
    const connection = connected({ url: await open(), name: 'test' });
    redis = stateIn({ send: withBreaker(connection.send) });
  });

  test('a route that denies answers 429 to all 200 clients, and says when to come back', async () => {
    const { ask, errors, served } = apiWith(redis, LIMIT);
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]));
    const [answer] = answers;
    expect(answer?.headers.get('retry-after')).toBe('5');
    expect(answer?.headers.get('ratelimit')).toBeNull();
    expect(await answer?.json()).toMatchObject({
      detail: 'the limit codes cannot be looked up now; ask again later',
    });
    expect([served(), errors]).toEqual([0, []]);
  });

  test('a route that stays open is counted by the process, which lets in the quota and no more', async () => {
    const { ask, errors, served } = apiWith(redis, { ...LIMIT, whenAway: 'open' });
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask()));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(197);
    expect((await ask('grace')).status).toBe(200);
    expect([served(), errors]).toEqual([4, []]);
  });
});

test('a Redis that is back counts again', async () => {
  const { url, end } = await frozen();
  const connection = connected({ url, name: 'test' });
  const { ask } = apiWith(stateIn({ send: connection.send }), LIMIT);
  expect((await ask()).status).toBe(429);
  await end();
  await connection.ready(10_000);
  expect((await ask()).headers.get('ratelimit')).toMatch(/^"codes";r=[12];/);
});
