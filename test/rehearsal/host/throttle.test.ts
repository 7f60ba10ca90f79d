import { beforeEach, describe, expect, test } from '@jest/globals';
import { PUBLIC_FLAG_ROUTES } from '../../../lambda/contract/flag-routes.ts';
import { createHost } from '../../../rehearsal/host/host.ts';
import { throttleRoutes } from '../../../rehearsal/host/throttle.ts';
import { ask, listen } from '../../support/http.ts';

/** A burst that takes longer to be earned than the test takes. */
const SLOW = { requestsPerSecond: 0.1, burstRequests: 3 };
const SET = '/api/config/flags';

let served: number;
let url: string;

beforeEach(async () => {
  served = 0;
  url = await hosted(SLOW);
});

const hosted = (limit: typeof SLOW) =>
  listen(
    createHost(
      async () => {
        served += 1;
        return { statusCode: 200 };
      },
      { gates: [throttleRoutes(PUBLIC_FLAG_ROUTES, limit)] },
    ),
  );

const statuses = async (paths: readonly string[], method = 'GET') => {
  const replies = [];
  for (const path of paths) replies.push((await ask(url, { method, path })).status);
  return replies;
};

describe('a burst', () => {
  test('is served, and what is above it is a 429 that says when to ask again', async () => {
    expect(await statuses([SET, `${SET}?a=1`, SET])).toEqual([200, 200, 200]);
    const { status, headers, text } = await ask(url, { path: SET });
    expect({ status, served, problem: JSON.parse(text) }).toEqual({
      status: 429,
      served: 3,
      problem: {
        type: 'about:blank',
        title: 'Too Many Requests',
        status: 429,
        detail: 'more than 0.1 requests a second, or 3 at once, to this route; ask again later',
      },
    });
    expect(headers['retry-after']).toMatch(/^(2\d|30)$/);
  });

  test('is each route’s own, and shared by all flags', async () => {
    const flags = ['a', 'b', 'c', 'd'].map((key) => `${SET}/${key}`);
    expect(await statuses(flags)).toEqual([200, 200, 200, 429]);
    expect(await statuses([SET])).toEqual([200]);
  });

  test('is earned again', async () => {
    url = await hosted({ requestsPerSecond: 30, burstRequests: 3 });
    while (!(await statuses([SET, SET, SET, SET])).includes(429));
    while ((await statuses([SET])).includes(429));
    expect(served).toBeGreaterThan(3);
  });
});

test('HEAD, which reads as much, has a limit, too', async () => {
  expect(await statuses(Array(4).fill(SET), 'HEAD')).toEqual([200, 200, 200, 429]);
});

test.each(['/api/users/u/mocs', '/api/admin/flags', `${SET}/a/b`, `${SET}more`, '/'])(
  'other routes are not throttled: %s',
  async (path) => {
    expect(await statuses(Array(5).fill(path))).toEqual([200, 200, 200, 200, 200]);
  },
);
