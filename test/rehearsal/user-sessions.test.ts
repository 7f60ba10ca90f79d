/** The users' sessions by the router, at both backends on real servers. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Asking, createAsking, type Question } from '../../rehearsal/ask.ts';
import { type Population, populate } from '../../rehearsal/population.ts';
import { seededRandom } from '../../rehearsal/random.ts';
import { createRecorder } from '../../rehearsal/recorder.ts';
import { createRouter, type Router } from '../../rehearsal/router.ts';
import { createSessionChecker } from '../../rehearsal/session-checker.ts';
import { createUserSessions } from '../../rehearsal/user-sessions.ts';
import { BACKENDS, type TwoBackends, twoBackends } from '../support/backends.ts';
import { ask, listen } from '../support/http.ts';

const TURNS = 600;
const AT_ONCE = 40;

let both: TwoBackends;
let router: Router;
let asking: Asking;
let errors: string[];
const population: Population = populate({ users: 12, random: seededRandom(1) });

beforeAll(async () => {
  both = await twoBackends();
  router = createRouter({ backends: both.url, devices: population.devices });
  router.weightPercent = 50;
  errors = [];
  const url = await listen(router.server);
  asking = createAsking({ url, recorder: createRecorder(), onError: (message) => errors.push(message) });
});
afterAll(async () => {
  await asking.close();
  await router.close();
});

/** So many turns of users, each asked by what `change` makes of its questions. */
async function traffic(askAs: Asking['ask'] = asking.ask) {
  const checker = createSessionChecker();
  const sessions = createUserSessions({ ask: askAs, checker, random: seededRandom(5) });
  const random = seededRandom(6);
  const backends = new Set<string>();
  for (let turns = 0; turns < TURNS; turns += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => sessions.turn(population.next(random))));
  }
  return { ...checker.summary(), backends, sessions };
}

describe('users of both backends', () => {
  test('keep their sessions until they end them, and not longer', async () => {
    const answers = new Map<string, number>();
    const noted: Asking['ask'] = async (question) => {
      const answer = await asking.ask(question);
      const kind = `${question.path.split('/').at(-1)} ${answer.status} by ${answer.backend}`;
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
      return answer;
    };
    const { lostSessions, resurrectedSessions, logins, logouts, checkedSessions } = await traffic(noted);
    expect({ lostSessions, resurrectedSessions, errors }).toEqual({
      ...{ lostSessions: 0, resurrectedSessions: 0 },
      errors: [],
    });
    expect(logins).toBeGreaterThan(12);
    expect(logins - logouts).toBeLessThanOrEqual(12);
    expect(checkedSessions).toBeGreaterThan(200);
    for (const backend of BACKENDS) {
      for (const kind of ['login 200', 'current 200', 'current 401', 'logout 204']) {
        expect([kind, backend, (answers.get(`${kind} by ${backend}`) ?? 0) > 0]).toEqual([
          kind,
          backend,
          true,
        ]);
      }
    }
  });

  test('who are logged in once carry the same cookie everywhere', async () => {
    const checker = createSessionChecker();
    const sessions = createUserSessions({ ask: asking.ask, checker, random: seededRandom(5) });
    const [user] = population.targets;
    if (!user) throw new Error('nobody is there');
    const cookies = await Promise.all(Array.from({ length: 20 }, () => sessions.cookieOf(user)));
    expect(new Set(cookies.map(({ cookie }) => cookie)).size).toBe(1);
    expect(cookies[0]?.['cookie']).toMatch(/^__Host-cutover_session=\S{43}$/);
    expect(checker.summary().logins).toBe(1);
  });
});

describe('found by the same traffic', () => {
  test('sessions that are lost', async () => {
    // As if the cookie were another one: neither backend knows it.
    const forgetful: Asking['ask'] = (question) =>
      asking.ask(question.path.endsWith('current') ? { ...question, headers: { cookie: 'x=1' } } : question);
    const { lostSessions, resurrectedSessions } = await traffic(forgetful);
    expect(lostSessions).toBeGreaterThan(100);
    expect(resurrectedSessions).toBe(0);
  });

  test('sessions that come back', async () => {
    // As a backend does that says it has ended a session, and has not.
    const careless: Asking['ask'] = async (question) => {
      if (!question.path.endsWith('logout')) return asking.ask(question);
      const header = (name: string) => (name === 'x-invalidation' ? 'done' : undefined);
      return { status: 204, backend: 'express', cache: undefined, text: '', header };
    };
    const { lostSessions, resurrectedSessions } = await traffic(careless);
    expect(resurrectedSessions).toBeGreaterThan(10);
    expect(lostSessions).toBe(0);
  });

  test('tokens that are lost: a logout is refused', async () => {
    const tokenless: Asking['ask'] = ({ headers = {}, ...question }: Question) => {
      const { 'x-csrf-token': _, ...others } = headers;
      return asking.ask({ ...question, headers: others });
    };
    const { lostSessions, logouts } = await traffic(tokenless);
    expect([lostSessions > 10, logouts]).toEqual([true, 0]);
  });
});

describe('the legacy backend’s sessions', () => {
  const login = (body: string, contentType = 'application/json') =>
    ask(both.url.express, {
      ...{ method: 'POST', path: '/api/sessions/login', body },
      headers: { 'content-type': contentType },
    });

  test.each<[string, number]>([
    ['{"userId":"eve","role":"student"}', 200],
    ['{"userId":"eve","role":"admin"}', 403],
    ['{"userId":"eve"}', 403],
    ['{"userId":"","role":"student"}', 400],
    ['null', 403],
    ['{', 400],
    ['', 400],
  ])('a login with %j is answered %i', async (body, status) => {
    expect((await login(body)).status).toBe(status);
  });

  test('a login that is no JSON is refused', async () => {
    expect((await login('userId=eve', 'application/x-www-form-urlencoded')).status).toBe(415);
  });

  test.each(['', 'other=1', '__Host-cutover_session=', '__Host-cutover_session=short', 'cutover_session=x'])(
    'the cookie %j is nobody',
    async (cookie) => {
      const question = { path: '/api/sessions/current', headers: { cookie } };
      expect((await ask(both.url.express, question)).status).toBe(401);
    },
  );

  test('while the database is away a login is a 503, and a session that Redis knows is answered', async () => {
    const away = await twoBackends();
    const { text, headers } = await ask(away.url.express, {
      ...{ method: 'POST', path: '/api/sessions/login', body: '{"userId":"eve","role":"student"}' },
      headers: { 'content-type': 'application/json' },
    });
    const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
    expect(JSON.parse(text)).toMatchObject({ userId: 'eve', csrfToken: expect.any(String) });
    await away.database.end();
    const current = { path: '/api/sessions/current', headers: { cookie } };
    expect((await ask(away.url.express, current)).status).toBe(200);
    const again = { method: 'POST', path: '/api/sessions/login', body: '{"userId":"eve","role":"student"}' };
    const refused = await ask(away.url.express, {
      ...again,
      headers: { 'content-type': 'application/json' },
    });
    expect(refused.status).toBe(503);
  });
});

test('a router without a backend is an error of the users, not a lost session', async () => {
  const nobody = createServer((_request, response) => response.writeHead(502).end());
  const url = await listen(nobody);
  const alone = createAsking({ url, recorder: createRecorder(), onError: () => {} });
  const { lostSessions, logins, checkedSessions } = await traffic(alone.ask);
  expect({ lostSessions, logins, checkedSessions }).toEqual({
    lostSessions: 0,
    logins: 0,
    checkedSessions: 0,
  });
  await alone.close();
});
