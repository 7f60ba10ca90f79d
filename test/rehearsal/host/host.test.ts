import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { createHost } from '../../../rehearsal/host/host.ts';
import { ask, listen, type Question } from '../../support/http.ts';

let url: string;
let seen: APIGatewayProxyEventV2 | undefined;
let result: () => Promise<APIGatewayProxyStructuredResultV2>;

beforeAll(async () => {
  url = await listen(
    createHost((event) => {
      seen = event;
      return result();
    }),
  );
});

beforeEach(() => {
  seen = undefined;
  result = async () => ({ statusCode: 200, body: 'ok' });
});

async function eventOf(question: Question): Promise<APIGatewayProxyEventV2> {
  await ask(url, question);
  if (!seen) throw new Error('the handler was not invoked');
  return seen;
}

describe('the event', () => {
  test('has the fields of payload 2.0', async () => {
    const event = await eventOf({ path: '/a/b?x=1&y=%20z', headers: { 'user-agent': 'the test' } });
    expect(event).toEqual({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/a/b',
      rawQueryString: 'x=1&y=%20z',
      headers: { host: url.slice('http://'.length), 'user-agent': 'the test', connection: 'close' },
      isBase64Encoded: false,
      requestContext: {
        accountId: '000000000000',
        apiId: 'local',
        domainName: 'localhost',
        domainPrefix: 'localhost',
        http: {
          method: 'GET',
          path: '/a/b',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'the test',
        },
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        routeKey: '$default',
        stage: '$default',
        time: expect.any(String),
        timeEpoch: expect.any(Number),
      },
    });
  });

  test.each([
    ['/', '/', ''],
    ['/?', '/', ''],
    ['/a%2Fb%0A%2541', '/a/b\n%41', ''],
    ['/a?b?c=1', '/a', 'b?c=1'],
    ['//a//', '//a//', ''],
  ])('takes %j apart and decodes the path, as an HTTP API does', async (path, rawPath, rawQueryString) => {
    expect(await eventOf({ path })).toMatchObject({ rawPath, rawQueryString });
  });

  test('has cookies apart, and not among the headers', async () => {
    const event = await eventOf({ path: '/', headers: { cookie: ['a=1; b=2', 'c=3'] } });
    expect(event.cookies).toEqual(['a=1', 'b=2', 'c=3']);
    expect(event.headers).not.toHaveProperty('cookie');
  });

  test('joins the values of a repeated header with a comma', async () => {
    const { headers } = await eventOf({ path: '/', headers: { 'X-Several': ['1', '2', '3'] } });
    expect(headers['x-several']?.replaceAll(' ', '')).toBe('1,2,3');
  });

  test.each([
    ['application/json', '{"a":"ü"}'],
    ['application/json; charset=utf-8', '{}'],
    ['text/plain', 'text'],
    ['application/problem+json', '{}'],
    ['Application/XML', '<a/>'],
  ])('has a body of %s as text', async (type, body) => {
    const event = await eventOf({ method: 'PUT', path: '/', headers: { 'content-type': type }, body });
    expect(event).toMatchObject({ body, isBase64Encoded: false });
  });

  test.each(['application/octet-stream', 'image/png', undefined])('has one of %s in Base64', async (type) => {
    const body = Buffer.from([0, 255, 128, 10, 13]);
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    const event = await eventOf({ method: 'PUT', path: '/', headers, body });
    expect(event).toMatchObject({ body: 'AP+ACg0=', isBase64Encoded: true });
  });

  test('has no body where there is none', async () => {
    const event = await eventOf({
      method: 'DELETE',
      path: '/',
      headers: { 'content-type': 'application/json' },
    });
    expect(event).not.toHaveProperty('body');
    expect(event.requestContext.http.method).toBe('DELETE');
  });
});

describe('the answer', () => {
  test('is what the handler said', async () => {
    result = async () => ({
      statusCode: 418,
      headers: { 'content-type': 'text/plain', 'x-number': 7, 'x-flag': true },
      cookies: ['a=1; Path=/', 'b=2'],
      body: 'ü',
    });
    expect(await ask(url, { path: '/' })).toMatchObject({
      status: 418,
      headers: {
        'content-type': 'text/plain',
        'x-number': '7',
        'x-flag': 'true',
        'set-cookie': ['a=1; Path=/', 'b=2'],
      },
      text: 'ü',
    });
  });

  test('is decoded from Base64', async () => {
    result = async () => ({
      statusCode: 200,
      body: Buffer.from('bytes').toString('base64'),
      isBase64Encoded: true,
    });
    expect((await ask(url, { path: '/' })).text).toBe('bytes');
  });

  test('may be empty', async () => {
    result = async () => ({});
    expect(await ask(url, { path: '/' })).toMatchObject({ status: 200, text: '' });
  });

  test('of a handler that throws is 502, and the next request is served', async () => {
    const told = jest.spyOn(console, 'error').mockImplementation(() => {});
    const failure = new Error('secret');
    result = () => Promise.reject(failure);
    expect(await ask(url, { path: '/' })).toMatchObject({
      status: 502,
      text: '{"message":"Internal Server Error"}',
    });
    expect(told.mock.calls).toEqual([[failure]]);
    told.mockRestore();
    result = async () => ({ statusCode: 200, body: 'ok' });
    expect((await ask(url, { path: '/' })).status).toBe(200);
  });

  test('to a body over 10 MiB is 413, without asking the handler', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    expect((await ask(url, { method: 'PUT', path: '/', body })).status).toBe(413);
    expect(seen).toBeUndefined();
  });
});
