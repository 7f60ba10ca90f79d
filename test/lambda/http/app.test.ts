import { describe, expect, jest, test } from '@jest/globals';
import { collectionRoutes } from '../../../lambda/collections/routes.ts';
import type { Collections } from '../../../lambda/collections/service.ts';
import { ConfigurationError } from '../../../lambda/contract/errors.ts';
import { ProblemError } from '../../../lambda/contract/problem.ts';
import { createApi } from '../../../lambda/http/app.ts';

const unused = () => Promise.reject(new Error('not asked for'));

function api(collections: Partial<Collections>) {
  const onError = jest.fn();
  const app = createApi({
    routes: {
      '/api/users': collectionRoutes({ list: unused, put: unused, remove: unused, ...collections }),
    },
    probes: {},
    onError,
  });
  const get = async (path: string) => {
    const response = await app.request(path);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.json(),
    };
  };
  return { get, onError };
}

const failing = (error: unknown) => api({ list: () => Promise.reject(error) });

describe('an error', () => {
  test.each([
    ['an Error', new Error('password=secret at 10.0.0.7')],
    ["an error of Cutover's", new ConfigurationError('password=secret at 10.0.0.7')],
  ])(
    'that nobody foresaw, %s, is a 500 that says nothing of its cause, and is told',
    async (_what, error) => {
      const { get, onError } = failing(error);
      expect(await get('/api/users/u/mocs')).toEqual({
        status: 500,
        headers: { 'content-type': 'application/problem+json', 'x-backend': 'serverless' },
        body: {
          type: 'about:blank',
          title: 'Internal Server Error',
          status: 500,
          detail: 'unexpected error; the log has its cause',
        },
      });
      expect(onError.mock.calls).toEqual([[error]]);
    },
  );

  test.each([
    [400, 'Bad Request'],
    [404, 'Not Found'],
    [413, 'Content Too Large'],
    [415, 'Unsupported Media Type'],
    [502, 'Bad Gateway'],
  ] as const)('of a request, %d, leaves as it is, and is not told', async (status, title) => {
    const { get, onError } = failing(new ProblemError(status, 'the value "x" is odd'));
    expect(await get('/api/users/u/mocs')).toEqual({
      status,
      headers: { 'content-type': 'application/problem+json', 'x-backend': 'serverless' },
      body: { type: 'about:blank', title, status, detail: 'the value "x" is odd' },
    });
    expect(onError).not.toHaveBeenCalled();
  });

  test('of a route that is none names it, and not more than a line of it', async () => {
    const { get, onError } = api({});
    const { status, headers, body } = await get(`/nothing/${'x'.repeat(200)}`);
    expect([status, headers['x-backend']]).toEqual([404, 'serverless']);
    expect(body).toMatchObject({ detail: `no route for GET "/nothing/${'x'.repeat(71)}"` });
    expect(onError).not.toHaveBeenCalled();
  });
});

test('an answer says who gave it, and where it came from', async () => {
  const { get } = api({ list: async () => ({ value: { items: [], version: 7 }, outcome: 'bypass' }) });
  expect(await get('/api/users/u/mocs')).toEqual({
    status: 200,
    headers: { 'content-type': 'application/json', 'x-backend': 'serverless', 'x-cache': 'bypass' },
    body: { items: [], version: 7 },
  });
});
