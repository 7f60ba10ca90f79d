import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bundlePage } from '../../../rehearsal/console/bundle.ts';
import type { ConsoleState, Sample } from '../../../rehearsal/console/contract.ts';
import { type Console, startConsole } from '../../../rehearsal/console/server.ts';
import { cannedSource } from '../../browser/support/canned-source.ts';
import { type Listening, listen } from './support/listen.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function serving(source = cannedSource()): Promise<Console & { port: number }> {
  const served = await startConsole({ source });
  open.push(served);
  return { ...served, port: Number(new URL(served.url).port) };
}

const listening = (url: string, headers: Record<string, string> = {}): Listening => {
  const client = listen(`${url}/events`, headers);
  open.push(client);
  return client;
};

/** A request with any header, as a browser, or somebody who means no good, may send it. */
async function ask(
  { port }: { port: number },
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  const { method = 'GET', headers = {}, body } = options;
  const request = http.request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

const ownPost = (port: number) => ({
  method: 'POST',
  headers: { origin: `http://127.0.0.1:${port}`, 'content-type': 'application/json' },
  body: '{}',
});

const sample = (at: number, spanMs = 1000): Sample => {
  const backend = { requests: 1, errors: 0, hits: 1, misses: 0, p50Ms: 1, p95Ms: 2, namespace: 'K' };
  return { at, spanMs, backends: { legacy: backend, serverless: backend }, fallbacks: 0 };
};

/** A source whose samples a test changes. */
function sourceOf(samples: Sample[]) {
  const canned = cannedSource();
  return { ...canned, samples: () => samples };
}

describe('the page', () => {
  test('is served whole from this machine, and nothing else may be loaded', async () => {
    const served = await serving();
    const [html, js, css] = await Promise.all(
      ['/', '/page.js', '/page.css'].map((path) => ask(served, path)),
    );
    expect([html, js, css].map((answer) => [answer?.status, answer?.headers['content-type']])).toEqual([
      [200, 'text/html; charset=utf-8'],
      [200, 'text/javascript; charset=utf-8'],
      [200, 'text/css; charset=utf-8'],
    ]);
    expect(html?.headers['content-security-policy']).toMatch(/^default-src 'self'/);
    // A name of another host would be an address to load something from.
    expect(html?.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test('is below 100 KB when it is compressed', async () => {
    const { html, js, css } = await bundlePage();
    expect(gzipSync(html + js + css).length).toBeLessThan(100_000);
  });
});

describe('a request is refused', () => {
  test.each<[string, number, (port: number) => Parameters<typeof ask>[2] & { path?: string }]>([
    ['for another host', 421, (port) => ({ headers: { host: `evil.example:${port}` } })],
    ['for another port', 421, () => ({ headers: { host: '127.0.0.1:1' } })],
    ['from a foreign page', 403, () => ({ headers: { origin: 'https://evil.example' } })],
    ['from another site', 403, () => ({ headers: { 'sec-fetch-site': 'cross-site' } })],
    ['from another port of this machine', 403, () => ({ headers: { 'sec-fetch-site': 'same-site' } })],
    ['for a path that is not there', 404, () => ({ path: '/other' })],
    ['for a method', 405, (port) => ({ ...ownPost(port), path: '/state' })],
    ['to get an action', 405, () => ({ path: '/actions/flush' })],
    ['for an action that is not known', 404, (port) => ({ ...ownPost(port), path: '/actions/explode' })],
    ['for an action that is not possible', 409, (port) => ({ ...ownPost(port), path: '/actions/resume' })],
    [
      'to act without an origin',
      403,
      (port) => ({
        ...ownPost(port),
        headers: { 'content-type': 'application/json' },
        path: '/actions/flush',
      }),
    ],
    [
      'to act by a form',
      415,
      (port) => ({
        ...ownPost(port),
        headers: { ...ownPost(port).headers, 'content-type': 'text/plain' },
        path: '/actions/flush',
      }),
    ],
    [
      'for a body that is too large',
      413,
      (port) => ({ ...ownPost(port), body: JSON.stringify('x'.repeat(2000)), path: '/actions/flush' }),
    ],
    ['for a body that is no JSON', 400, (port) => ({ ...ownPost(port), body: '{', path: '/actions/flush' })],
  ])('%s: %i', async (_why, status, requestOf) => {
    const source = cannedSource();
    const served = await serving(source);
    const { path = '/state', ...request } = requestOf(served.port) ?? {};
    const answer = await ask(served, path, request);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ status, detail: expect.stringMatching(/^console: /) });
    expect(source.acted).toEqual([]);
  });

  test('for a port that is taken, which it names', async () => {
    const { port } = await serving();
    await expect(startConsole({ source: cannedSource(), port })).rejects.toThrow(`the port ${port} cannot`);
  });
});

describe('an action', () => {
  test('is done, and its answer told', async () => {
    const source = cannedSource();
    const served = await serving(source);
    const { status, text } = await ask(served, '/actions/flush', ownPost(served.port));
    expect([status, JSON.parse(text)]).toEqual([200, { text: 'flush is done' }]);
    expect(source.acted).toEqual(['flush']);
  });

  test('that fails says why', async () => {
    const served = await serving();
    const { status, text } = await ask(served, '/actions/slow-redis', ownPost(served.port));
    expect(status).toBe(500);
    expect(JSON.parse(text).detail).toBe('rehearsal: freeze-redis is still in; wait until it is over');
  });
});

describe('the events', () => {
  test('begin with the state and all samples, and go on with what is new', async () => {
    const samples = [sample(1000), sample(2000)];
    const source = sourceOf(samples);
    const { url } = await serving(source);
    const client = listening(url);
    expect(await client.next('state')).toMatchObject({ title: source.state().title });
    expect(await client.next('samples')).toEqual({ samples, replace: true });
    samples.push(sample(3000));
    // Those before again: they may have grown.
    expect(await client.next('samples')).toEqual({ samples, replace: false });
    source.change({ status: 'paused' });
    expect(await client.next('state')).toMatchObject({ status: 'paused' });
  });

  test('tell a state once, however often it is asked for', async () => {
    const { url } = await serving();
    const client = listening(url);
    await new Promise((resolve) => setTimeout(resolve, 1300));
    // The last sample may have grown, once.
    expect([client.count('state'), client.count('samples') <= 2]).toEqual([1, true]);
  });

  test('are gone on with after a reconnect', async () => {
    const samples = Array.from({ length: 30 }, (_, second) => sample(second * 1000));
    const { url } = await serving(sourceOf(samples));
    const first = listening(url);
    await first.next('samples');
    first.close();
    samples.push(sample(30_000));
    const second = listening(url, { 'last-event-id': first.lastId() });
    expect(await second.next('samples')).toEqual({ samples: samples.slice(23), replace: false });
  });

  test('replace all once the samples have become coarser', async () => {
    const samples = [sample(1000), sample(2000), sample(3000)];
    const { url } = await serving(sourceOf(samples));
    const client = listening(url);
    await client.next('samples');
    samples.splice(0, 3, sample(0, 2000), sample(2000, 2000));
    expect(await client.next('samples')).toEqual({ samples, replace: true });
  });

  test('end with the last state', async () => {
    const { url, close } = await serving();
    const client = listening(url);
    await client.next('state');
    await close();
    expect(await client.next('end')).toMatchObject({ kind: 'rehearsal' } satisfies Partial<ConsoleState>);
    await expect(fetch(url)).rejects.toThrow();
  });

  test('reach ten at once with an hour of data, and ask the source once for all', async () => {
    let asked = 0;
    const samples = Array.from({ length: 3600 }, (_, second) => sample(second * 1000));
    const source = sourceOf(samples);
    const { url } = await serving({
      ...source,
      state: () => {
        asked += 1;
        return source.state();
      },
    });
    const clients = Array.from({ length: 10 }, () => listening(url));
    await Promise.all(
      clients.map(async (client) => {
        expect((await client.next('samples')) as { samples: Sample[] }).toHaveProperty(
          'samples.length',
          3600,
        );
      }),
    );
    const before = asked;
    samples.push(sample(3600_000));
    await Promise.all(clients.map((client) => client.next('samples')));
    expect(asked - before).toBeLessThanOrEqual(2);
  });

  test('are refused to more than 32', async () => {
    const { url } = await serving();
    const clients = Array.from({ length: 32 }, () => listening(url));
    await Promise.all(clients.map((client) => client.next('state')));
    const answer = await fetch(`${url}/events`);
    expect(answer.status).toBe(503);
  });

  test('begin anew for one who has seen another run', async () => {
    const samples = [sample(9000), sample(10_000)];
    const { url } = await serving(sourceOf(samples));
    const client = listening(url, { 'last-event-id': '2000-1000' });
    expect(await client.next('samples')).toEqual({ samples, replace: true });
  });

  test('leave one who does not read, and not one who does', async () => {
    // Some megabytes, each time anew: more than the kernel takes for a client.
    const samples = Array.from({ length: 12_000 }, (_, second) => sample(second * 1000));
    const { port, url } = await serving(sourceOf(samples));
    const reader = listening(url);
    const socket = connect(port, '127.0.0.1');
    open.push({ close: () => socket.destroy() });
    socket.pause();
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    socket.write(`GET /events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
    for (let batch = 0; batch < 5; batch += 1) {
      await reader.next('samples');
      samples.splice(0, samples.length, ...samples.map(({ at }) => sample(at, 2000 + batch)));
    }
    // Only who reads sees that the other end has gone.
    socket.resume();
    await closed;
    expect(await reader.next('samples')).toMatchObject({ replace: true });
  }, 20_000);
});

test('while nobody looks the source is not asked', async () => {
  let asked = 0;
  const source = cannedSource();
  const { url } = await serving({
    ...source,
    samples: () => {
      asked += 1;
      return [];
    },
  });
  const client = listening(url);
  await client.next('state');
  client.close();
  await new Promise((resolve) => setTimeout(resolve, 700));
  const before = asked;
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(asked).toBe(before);
});
