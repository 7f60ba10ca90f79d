import { Agent, request } from 'node:http';
import { text as bodyOf } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FLAGS_SCOPE } from '../../lambda/contract/flag-routes.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createHost, type Handler } from '../../rehearsal/host/host.ts';
import { wiredApi } from '../support/deployed.ts';
import { listen } from '../support/http.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

/** Whatever is asked of any route, the answer is no 5xx, and nothing is left unhandled. SEED=... draws the same again. */
const REQUESTS = 5000;
const AT_ONCE = 25;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** What the tokens of the requests say. */
const CLAIMS = [
  undefined,
  {},
  { sub: 'eve', scope: 'flags:read' },
  { scope: FLAGS_SCOPE },
  { sub: 'ada', scope: FLAGS_SCOPE },
  { sub: 'bob', scp: `[openid ${FLAGS_SCOPE}]` },
];

interface Drawn {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);
let url: string;

beforeAll(async () => {
  const [{ url: databaseUrl }, { url: redisUrl }] = await Promise.all([freshDatabase(), ownRedis()]);
  await migrate(databaseUrl);
  const handler = await wiredApi({
    NODE_ENV: 'test',
    MIGRATION_MODE: 'true',
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
  });
  url = await listen(createHost(withClaims(handler)));
  process.on('unhandledRejection', onUnhandled);
});
afterAll(() => {
  agent.destroy();
  process.off('unhandledRejection', onUnhandled);
});

/** What the authorizer in front of the handler would have found. */
const withClaims =
  (handler: Handler): Handler =>
  (event) => {
    const claims = CLAIMS[Number(event.headers['x-claims'])];
    const requestContext = { ...event.requestContext, ...(claims && { authorizer: { jwt: { claims } } }) };
    return handler({ ...event, requestContext });
  };

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const visible = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
const encoded = anyText.map((text) => encodeURIComponent(text.toWellFormed()));
const junk = fc.constantFrom(
  '',
  '%',
  '%zz',
  '%00',
  '%2F',
  '..',
  '%2E%2E',
  ':',
  '%3A',
  'a'.repeat(500),
  '%F0%9F%92%A9',
);
const id = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('a', 'b', 'beta', 'u1', 'mocs') }, encoded, junk);

const path = fc.oneof(
  fc.constantFrom(
    '/health',
    '/ready',
    '/',
    '//',
    '/api',
    '/api/config',
    '/api/config/flags',
    '/api/admin/flags',
  ),
  id.map((key) => `/api/config/flags/${key}`),
  id.map((key) => `/api/admin/flags/${key}`),
  fc.tuple(id, id).map(([user, collection]) => `/api/users/${user}/${collection}`),
  fc.tuple(id, id, id).map(([user, collection, item]) => `/api/users/${user}/${collection}/${item}`),
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  id.map((user) => `?userId=${user}`),
  fc.constantFrom('?userId', '?userId=a&userId=b', '?%', '?%zz=1', '?userId=%', '?userId=%ED%A0%80', '?&&=&'),
);

const TOO_LARGE = JSON.stringify({ value: 'x'.repeat(70_000) });

const value = fc.oneof(
  fc.jsonValue({ depthSize: 'medium' }),
  fc.constantFrom<unknown>(
    null,
    '\u0000',
    '\ud800',
    1e308,
    { toJSON: 1 },
    { constructor: { prototype: 1 } },
    [],
  ),
);
const fields = fc.record(
  {
    key: fc.oneof(fc.constantFrom('a', 'b', 'beta'), anyText),
    description: fc.oneof(anyText, value),
    enabled: fc.oneof(fc.boolean(), value),
    value,
    data: fc.oneof(fc.dictionary(anyText, value), value),
    unknown: value,
  },
  { requiredKeys: [] },
);
const good = fc.record({ key: fc.constantFrom('a', 'b', 'beta'), enabled: fc.boolean() });
const body = fc.oneof(
  { weight: 3, arbitrary: fields.map((drawn) => JSON.stringify(drawn)) },
  { weight: 2, arbitrary: good.map((drawn) => JSON.stringify(drawn)) },
  value.map((drawn) => JSON.stringify(drawn)),
  anyText,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    undefined,
    `{"value":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    TOO_LARGE,
    '{"__proto__":{"enabled":true},"enabled":true}',
    '{"enabled":true,"value":1e999}',
  ),
);

const wild: fc.Arbitrary<Drawn> = fc.record({
  method: fc.constantFrom(
    'GET',
    'GET',
    'POST',
    'PATCH',
    'PATCH',
    'PUT',
    'DELETE',
    'HEAD',
    'OPTIONS',
    'PURGE',
    'TRACE',
  ),
  path: fc.tuple(path, query).map((parts) => parts.join('')),
  headers: fc.record(
    {
      'x-claims': fc.nat(CLAIMS.length - 1).map(String),
      'content-type': fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('application/json', 'application/merge-patch+json') },
        fc.constantFrom('text/plain', 'application/json; charset=latin1', 'APPLICATION/JSON;charset="utf-8"'),
        visible,
      ),
      'content-encoding': fc.constantFrom('identity', 'gzip', ''),
      'if-match': fc.oneof(fc.constantFrom('*', '"1"', 'W/"1"', ',', '""'), visible),
      'if-none-match': fc.oneof(fc.constantFrom('*', '"1"', 'W/"1"', ',', '""'), visible),
    },
    { requiredKeys: ['x-claims'] },
  ),
  body,
});

const known = fc.constantFrom('a', 'b', 'beta');
const target = fc.tuple(known, fc.constantFrom('', '', '?userId=u1')).map((parts) => parts.join(''));
const headers = { 'x-claims': '4', 'content-type': 'application/json' };

/** What somebody would send: without it the wild ones meet no flag. */
const tame: fc.Arbitrary<Drawn> = fc.oneof(
  good.map((flag) => ({ method: 'POST', path: '/api/admin/flags', headers, body: JSON.stringify(flag) })),
  fc
    .tuple(
      target,
      fc.oneof(
        { weight: 9, arbitrary: value.map((patched) => JSON.stringify({ value: patched })) },
        fc.constant(TOO_LARGE),
      ),
      // No flag has version 0: refused wherever there is one.
      fc.constantFrom<Readonly<Record<string, string>>>({}, {}, { 'if-match': '"0"' }),
    )
    .map(([path, body, condition]) => ({
      method: 'PATCH',
      path: `/api/admin/flags/${path}`,
      headers: { ...headers, ...condition },
      body,
    })),
  target.map((path) => ({ method: 'DELETE', path: `/api/admin/flags/${path}`, headers, body: undefined })),
  target.map((path) => ({ method: 'GET', path: `/api/config/flags/${path}`, headers, body: undefined })),
);
const drawn = fc.oneof({ weight: 2, arbitrary: wild }, { weight: 1, arbitrary: tame });

async function ask({ method, path, headers, body }: Drawn): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  const sent = request({ hostname, port, method, path, headers, agent });
  if (body !== undefined) sent.setHeader('content-length', Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', async (answer) => {
      resolve({ status: answer.statusCode ?? 0, text: await bodyOf(answer) });
    });
    sent.end(body);
  });
}

test(`${REQUESTS} requests that nobody would send, SEED=${seed}`, async () => {
  const requests = fc.sample(drawn, { numRuns: REQUESTS, seed });
  const failed: unknown[] = [];
  const statuses = new Map<number, number>();
  const client = async () => {
    for (let next = requests.pop(); next; next = requests.pop()) {
      const { status, text } = await ask(next);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 500) failed.push({ ...next, status, text });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  expect(failed).toEqual([]);
  expect(unhandled).toEqual([]);
  // They got as far as the routes do, and not only to the refusals.
  for (const status of [200, 201, 204, 400, 401, 403, 404, 409, 412, 413, 415]) {
    expect([status, statuses.get(status) ?? 0]).not.toEqual([status, 0]);
  }
});
