import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Device } from '../../rehearsal/population.ts';
import { createRouter, type Router } from '../../rehearsal/router.ts';
import { freePort } from '../../rehearsal/servers/process.ts';
import { ask, listen, type Question } from '../support/http.ts';

const DEVICES: Device[] = [
  { name: 'first', draw: 0 },
  { name: 'at-5', draw: 0.05 },
  { name: 'at-40', draw: 0.4 },
  { name: 'last', draw: 0.999 },
];

let router: Router;
let url: string;
let received: {
  headers: IncomingHttpHeaders;
  method: string | undefined;
  path: string | undefined;
  body: string;
};

/** A backend that notes what it gets, and answers with its name. */
const backend = (name: string) =>
  createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received = { headers: request.headers, method: request.method, path: request.url, body };
    response.writeHead(name === 'express' ? 201 : 202, {
      'x-backend': name,
      'set-cookie': ['a=1', 'b=2'],
      connection: 'keep-alive',
      'keep-alive': 'timeout=77',
      trailer: 'x-none',
      'transfer-encoding': 'chunked',
    });
    response.end(`answer of ${name}`);
  });

beforeAll(async () => {
  const [express, serverless] = await Promise.all([
    listen(backend('express')),
    listen(backend('serverless')),
  ]);
  router = createRouter({ backends: { express, serverless }, devices: DEVICES });
  url = await listen(router.server);
});

afterAll(() => router.close());

beforeEach(() => {
  router.weightPercent = 0;
});

const askAs = (device: string | undefined, more: Partial<Question> = {}) =>
  ask(url, { path: '/', ...more, headers: { ...more.headers, ...(device && { 'x-device': device }) } });

const servedBy = async (device: string | undefined) => (await askAs(device)).headers['x-backend'];

describe('the way', () => {
  test.each([
    [0, ['express', 'express', 'express', 'express']],
    [1, ['serverless', 'express', 'express', 'express']],
    [5, ['serverless', 'express', 'express', 'express']],
    [6, ['serverless', 'serverless', 'express', 'express']],
    [41, ['serverless', 'serverless', 'serverless', 'express']],
    [100, ['serverless', 'serverless', 'serverless', 'serverless']],
  ])('at a weight of %d %% is by the device’s draw', async (weight, backends) => {
    router.weightPercent = weight;
    expect(await Promise.all(DEVICES.map(({ name }) => servedBy(name)))).toEqual(backends);
  });

  test('stays the same while the weight does, and as it grows', async () => {
    for (const weight of [41, 41, 41, 50, 100]) {
      router.weightPercent = weight;
      expect(await servedBy('at-40')).toBe('serverless');
    }
  });

  test.each([undefined, 'nobody'])('of the device %s is always the legacy one', async (device) => {
    router.weightPercent = 100;
    expect(await servedBy(device)).toBe('express');
  });
});

describe('a request', () => {
  test('arrives whole, without the headers of its connection', async () => {
    const answer = await askAs('last', {
      method: 'PUT',
      path: '/a%2Fb/%0A?x=%20&y',
      headers: {
        'content-type': 'text/plain',
        te: 'trailers',
        'keep-alive': 'timeout=5',
        'x-mine': 'yes',
        expect: '100-continue',
      },
      body: 'the body ü',
    });
    expect(answer.status).toBe(201);
    expect(received).toMatchObject({ method: 'PUT', path: '/a%2Fb/%0A?x=%20&y', body: 'the body ü' });
    expect(received.headers).toMatchObject({
      'content-type': 'text/plain',
      'x-mine': 'yes',
      'x-device': 'last',
    });
    for (const name of ['te', 'keep-alive', 'expect']) expect(received.headers).not.toHaveProperty(name);
    expect(received.headers.host).not.toBe(url.slice('http://'.length));
  });

  test('keeps a body of unknown length', async () => {
    await askAs('last', {
      method: 'PUT',
      headers: { 'transfer-encoding': 'chunked' },
      body: 'x'.repeat(100_000),
    });
    expect(received.body).toHaveLength(100_000);
  });

  test('without a body stays without', async () => {
    await askAs('last', { method: 'DELETE' });
    expect(received).toMatchObject({ method: 'DELETE', body: '' });
  });
});

describe('an answer', () => {
  test('arrives whole, without the headers of the backend’s connection', async () => {
    router.weightPercent = 100;
    const { status, text, headers } = await askAs('first');
    expect({ status, text }).toEqual({ status: 202, text: 'answer of serverless' });
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers['keep-alive']).not.toBe('timeout=77');
    expect(headers).not.toHaveProperty('trailer');
  });

  test('to HEAD has no body, and the next request its own answer', async () => {
    expect(await askAs('last', { method: 'HEAD' })).toMatchObject({ status: 201, text: '' });
    expect((await askAs('last')).text).toBe('answer of express');
  });
});

test('a backend that is down is a 502 with a problem document that names it; the other serves on', async () => {
  const express = await listen(backend('express'));
  const half = createRouter({
    backends: { express, serverless: `http://127.0.0.1:${await freePort()}` },
    devices: DEVICES,
  });
  half.weightPercent = 50;
  const door = await listen(half.server);
  const { status, headers, text } = await ask(door, { path: '/', headers: { 'x-device': 'first' } });
  expect({ status, type: headers['content-type'], by: headers['x-backend'] }).toEqual({
    status: 502,
    type: 'application/problem+json',
    by: 'serverless',
  });
  expect(JSON.parse(text)).toEqual({
    type: 'about:blank',
    title: 'Bad Gateway',
    status: 502,
    detail: expect.stringMatching(/^the serverless backend did not answer: .*ECONNREFUSED/),
  });
  expect((await ask(door, { path: '/', headers: { 'x-device': 'last' } })).status).toBe(201);
  await half.close();
});

test('a backend that breaks off in the middle breaks the answer off', async () => {
  const express = await listen(
    createServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    }),
  );
  const broken = createRouter({ backends: { express, serverless: express }, devices: [] });
  const door = await listen(broken.server);
  await expect(ask(door, { path: '/' })).rejects.toThrow(/aborted|hang up|reset/i);
  await broken.close();
});

test('what the serverless backend answers is counted, by its status and by what its cache said; its silence is not', async () => {
  const answering = createServer((request, response) => {
    const [, status = '200', cache] = request.url?.split('/') ?? [];
    response.writeHead(Number(status), cache ? { 'x-cache': cache } : {}).end();
  });
  const [express, serverless] = [await listen(backend('express')), await listen(answering)];
  const counting = createRouter({ backends: { express, serverless }, devices: DEVICES });
  const countingUrl = await listen(counting.server);
  const get = (device: string, path: string) => ask(countingUrl, { path, headers: { 'x-device': device } });
  counting.weightPercent = 50;
  for (const path of [
    '/200/hit',
    '/200/hit',
    '/200/miss',
    '/200/bypass',
    '/404',
    '/499',
    '/500',
    '/503/miss',
  ]) {
    await get('first', path);
  }
  await get('last', '/500');
  answering.closeAllConnections();
  await new Promise((resolve) => answering.close(resolve));
  expect((await get('first', '/200/hit')).status).toBe(502);
  expect(counting.answered).toEqual({ requests: 8, hits: 2, misses: 2, errors5xx: 2 });
  await counting.close();
});

describe('a canary', () => {
  /** A backend that says which process it is, and answers when it is let. */
  const process = (name: string) => {
    let release: () => void = () => {};
    let held: Promise<void> | undefined;
    const server = createServer(async (_request, response) => {
      await held;
      response.writeHead(200, { 'x-process': name }).end();
    });
    const hold = () => {
      held = new Promise((resolve) => {
        release = resolve;
      });
    };
    return { url: listen(server), hold, release: () => release() };
  };
  const [express, old, young] = [process('express'), process('old'), process('young')];
  let draw = 0;
  let canary: Router;
  let door: string;
  const served = async (device = 'first') => {
    const { headers } = await ask(door, { path: '/', headers: { 'x-device': device } });
    return headers['x-process'];
  };

  beforeAll(async () => {
    const backends = { express: await express.url, serverless: await old.url };
    canary = createRouter({ backends, devices: DEVICES, random: () => draw });
    canary.weightPercent = 50;
    door = await listen(canary.server);
  });
  afterAll(() => canary.close());

  test('has its share of one backend’s requests, drawn one by one, and none of the other’s', async () => {
    canary.beginCanary('serverless', { url: await young.url, percent: 30 });
    const drawn: unknown[] = [];
    for (draw of [0, 0.29, 0.3, 0.99, 0.1]) drawn.push(await served());
    expect(drawn).toEqual(['young', 'young', 'old', 'old', 'young']);
    draw = 0;
    expect(await served('last')).toBe('express');
  });

  test('that is withdrawn has nothing any more', async () => {
    await canary.endCanary('serverless', 'withdraw');
    draw = 0;
    expect(await served()).toBe('old');
    // Without a canary there is nothing to end.
    await canary.endCanary('serverless', 'promote');
    expect(await served()).toBe('old');
  });

  test('that is promoted has everything, when the process before has answered its last request', async () => {
    canary.beginCanary('serverless', { url: await young.url, percent: 50 });
    old.hold();
    draw = 0.9;
    const last = served();
    await new Promise((resolve) => setTimeout(resolve, 50));
    let isOver = false;
    const ending = canary.endCanary('serverless', 'promote').then(() => {
      isOver = true;
    });
    expect(await served()).toBe('young');
    expect(isOver).toBe(false);
    old.release();
    expect(await last).toBe('old');
    await ending;
    for (draw of [0, 0.5, 0.99]) expect(await served()).toBe('young');
  });
});
