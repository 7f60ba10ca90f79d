import { beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import type { Database } from '../../../lambda/database/pool.ts';
import { newCode, readCode, shownCode } from '../../../lambda/stores/access-code.ts';
import { hashOf, newSecret } from '../../../lambda/stores/session-record.ts';
import { createRedisUsers } from '../../../rehearsal/redis-users.ts';
import { type Browser, type ClassroomApi, classroomApi } from '../../support/classroom-api.ts';
import { lookInto } from '../../support/redis.ts';
import { ENV, HOMES, PHASES, type StateServers, stateServers } from '../../support/state.ts';

let servers: StateServers;
beforeAll(async () => {
  servers = await stateServers();
});
beforeEach(async () => {
  await servers.redis.send(['FLUSHALL']);
  await servers.database.query('TRUNCATE secure_sessions, classroom_sessions, cutover_outbox CASCADE');
});

const post = (body: unknown = {}) => ({ method: 'POST', body });
const SESSIONS = '/api/classroom/sessions';
const LOGIN = '/api/sessions/login';
const LOGOUT = '/api/sessions/logout';
const CURRENT = '/api/sessions/current';

const begin = async (teacher: Browser, title = 'Fractions') => {
  const { body } = await teacher.ask(SESSIONS, post({ title }));
  return { id: String(body['id']), code: String(body['accessCode']) };
};

describe.each(PHASES)('in phase %s', (phase) => {
  let api: ClassroomApi;
  let teacher: Browser;
  let student: Browser;
  beforeEach(async () => {
    api = classroomApi({ ...servers, phase });
    [teacher, student] = await Promise.all([api.logIn('ada', 'teacher'), api.logIn('eve', 'student')]);
  });

  test('a lesson, from the login to the logout', async () => {
    const created = await teacher.ask(SESSIONS, post({ title: 'Fractions' }));
    expect(created).toMatchObject({ status: 201, body: { title: 'Fractions', teacherId: 'ada' } });
    expect(created.headers.get('x-invalidation')).toBe('done');
    const { id, accessCode } = created.body;
    expect(created.headers.get('location')).toBe(`${SESSIONS}/${id}`);
    expect(String(accessCode)).toMatch(/^[2-9A-Z]{5}-[2-9A-Z]{5}$/);

    for (const source of ['miss', 'hit']) {
      const listed = await teacher.ask(SESSIONS);
      expect(listed.body).toEqual({ sessions: [id] });
      expect(listed.headers.get('x-cache')).toBe(source);
    }
    expect((await teacher.ask(`${SESSIONS}/${id}/access-code`)).body).toEqual({ accessCode });

    const joined = await student.ask('/api/classroom/join', post({ code: String(accessCode).toLowerCase() }));
    expect(joined).toMatchObject({ status: 200, body: { sessionId: id } });
    expect(joined.headers.get('ratelimit')).toContain('"join";r=9');
    expect((await student.ask(CURRENT)).body).toMatchObject({
      userId: 'eve',
      role: 'student',
      classroomId: id,
    });
    const again = await student.ask('/api/classroom/join', post({ code: accessCode }));
    expect(again.status).toBe(404);

    expect((await teacher.ask(`${SESSIONS}/${id}/analytics`)).body).toMatchObject({
      counts: { began: 1, joined: 1 },
    });
    const { body: next } = await teacher.ask(`${SESSIONS}/${id}/access-code`);
    expect(next['accessCode']).not.toBe(accessCode);

    const ended = await teacher.ask(`${SESSIONS}/${id}`, { method: 'DELETE' });
    expect(ended.status).toBe(204);
    expect((await teacher.ask(SESSIONS)).body).toEqual({ sessions: [] });
    const late = await student.ask('/api/classroom/join', post({ code: next['accessCode'] }));
    expect(late.status).toBe(404);

    const out = await student.ask(LOGOUT, { method: 'POST' });
    expect(out.status).toBe(204);
    expect(out.headers.get('x-invalidation')).toBe('done');
    expect(out.headers.get('set-cookie')).toMatch(/^__Host-cutover_session=; Max-Age=0/);
    expect((await student.ask(CURRENT)).status).toBe(401);
  });

  test('a replayed cookie is of no use after logout, login over it, or rotation', async () => {
    const rotated = await student.ask('/api/sessions/rotate', { method: 'POST' });
    expect(rotated.status).toBe(200);
    expect((await student.ask(CURRENT)).status).toBe(401);
    const renewed = api.browserOf(rotated);
    expect((await renewed.ask(CURRENT)).status).toBe(200);
    expect(
      (await renewed.ask(LOGOUT, { method: 'POST', headers: { 'x-csrf-token': student.token } })).status,
    ).toBe(403);
    await api.logIn('eve', 'student', { cookie: renewed.cookie });
    expect((await renewed.ask(CURRENT)).status).toBe(401);
  });

  test('a lesson by the user that is deployed: Redis refuses none of its commands', async () => {
    const urls = await createRedisUsers(
      { send: servers.redis.send, url: servers.redis.urlOf([]) },
      { phase, env: ENV },
    );
    const { send } = await lookInto(urls.serverless);
    const deployed = classroomApi({ ...servers, phase, send });
    const [ada, eve] = await Promise.all([
      deployed.logIn('ada', 'teacher'),
      deployed.logIn('eve', 'student'),
    ]);
    const { id, code } = await begin(ada);
    for (let time = 0; time < 2; time += 1) {
      expect((await ada.ask(SESSIONS)).body).toEqual({ sessions: [id] });
      expect((await ada.ask(`${SESSIONS}/${id}/access-code`)).body).toEqual({ accessCode: code });
    }
    const joined = await eve.ask('/api/classroom/join', post({ code }));
    expect([joined.status, joined.headers.get('x-invalidation')]).toEqual([200, 'done']);
    expect((await ada.ask(`${SESSIONS}/${id}/analytics`)).status).toBe(200);
    const ended = await ada.ask(`${SESSIONS}/${id}`, { method: 'DELETE' });
    expect([ended.status, ended.headers.get('x-invalidation')]).toEqual([204, 'done']);
    for (const browser of [ada, eve]) {
      const out = await browser.ask(LOGOUT, { method: 'POST' });
      expect(out.headers.get('x-invalidation')).toBe('done');
    }
    expect(deployed.log).toEqual([]);
  });

  test('foreign types under every key: the database decides, and nothing is a 5xx', async () => {
    const { id, code } = await begin(teacher);
    await teacher.ask(SESSIONS);
    const keys = (await servers.redis.send(['KEYS', '*'])) as string[];
    expect(keys.length).toBeGreaterThanOrEqual(7 * HOMES[phase].length);
    for (const key of keys) {
      await servers.redis.send(['UNLINK', key]);
      // A set is what one family has: to it a text is foreign.
      await servers.redis.send(key.includes('teacher_sessions') ? ['SET', key, 'x'] : ['SADD', key, 'x']);
    }
    expect((await teacher.ask(SESSIONS)).body).toEqual({ sessions: [id] });
    expect((await teacher.ask(`${SESSIONS}/${id}/access-code`)).body).toEqual({ accessCode: code });
    expect((await teacher.ask(`${SESSIONS}/${id}/analytics`)).status).toBe(503);
    expect((await student.ask('/api/classroom/join', post({ code }))).status).toBe(200);
    expect((await student.ask(LOGOUT, { method: 'POST' })).headers.get('x-invalidation')).toBe('done');
    expect((await student.ask(CURRENT)).status).toBe(401);
    expect(api.log.join()).toContain('WRONGTYPE');
    for (const family of ['secure_session', 'csrf', 'teacher_sessions', 'access_code']) {
      expect(api.log.join()).toContain(`"family":"${family}"`);
    }
  });
});

describe('who is let in', () => {
  let api: ClassroomApi;
  let teacher: Browser;
  let student: Browser;
  beforeEach(async () => {
    api = classroomApi({ ...servers, phase: 'dual' });
    [teacher, student] = await Promise.all([api.logIn('ada', 'teacher'), api.logIn('eve', 'student')]);
  });

  it('is nobody who says so: a login needs the claims of a token that an authorizer has checked', async () => {
    expect((await api.ask(LOGIN, post({ userId: 'ada', role: 'teacher' }))).status).toBe(401);
    expect((await api.ask(LOGIN, { ...post(), headers: { authorization: 'Bearer x' } })).status).toBe(401);
  });

  it.each([
    { sub: 'ada' },
    { sub: 'ada', role: 'admin' },
    { role: 'teacher' },
    { sub: 7, role: 'teacher' },
    {},
  ])('is nobody whose token does not say who: %j', async (claims) => {
    expect((await api.ask(LOGIN, { method: 'POST', claims })).status).toBe(403);
  });

  it.each(['a:b', '', 'a/b', 'x'.repeat(129)])(
    'is nobody of an id that no key can be built from: %j',
    async (sub) => {
      expect((await api.ask(LOGIN, { method: 'POST', claims: { sub, role: 'teacher' } })).status).toBe(400);
    },
  );

  it('gets a cookie that neither scripts, nor other hosts, nor other sites get at', async () => {
    const { headers } = await api.ask(LOGIN, { method: 'POST', claims: { sub: 'ada', role: 'teacher' } });
    const cookie = headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^__Host-cutover_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['no cookie', ''],
    ['an empty one', '__Host-cutover_session='],
    ['a forged one', `__Host-cutover_session=${newSecret()}`],
    ['a malformed one', '__Host-cutover_session=%00%ff'],
    ['a very long one', `__Host-cutover_session=${'a'.repeat(5000)}`],
    ['one without the prefix', `cutover_session=${newSecret()}`],
  ])('with %s: 401', async (_name, cookie) => {
    for (const path of [SESSIONS, CURRENT]) {
      expect((await api.ask(path, { headers: { cookie } })).status).toBe(401);
    }
    const posted = await api.ask('/api/classroom/join', {
      ...post({ code: newCode() }),
      headers: { cookie },
    });
    expect(posted.status).toBe(401);
  });

  it.each([
    ['none', () => ''],
    ['another session', () => teacher.token],
    ['a forged one', newSecret],
    ['its hash', () => hashOf(student.token)],
    ['too long', () => 'x'.repeat(5000)],
  ])('changes nothing with the wrong token: %s', async (_name, token) => {
    const headers = { 'x-csrf-token': token() };
    expect((await student.ask(LOGOUT, { method: 'POST', headers })).status).toBe(403);
    expect((await student.ask('/api/classroom/join', { ...post({ code: newCode() }), headers })).status).toBe(
      403,
    );
    expect((await student.ask(CURRENT, { headers })).status).toBe(200);
  });

  it('does what its role may', async () => {
    const { id, code } = await begin(teacher);
    for (const path of [SESSIONS, `${SESSIONS}/${id}/access-code`, `${SESSIONS}/${id}/analytics`]) {
      expect((await student.ask(path)).status).toBe(403);
    }
    expect((await student.ask(SESSIONS, post({ title: 'Mine' }))).status).toBe(403);
    expect((await teacher.ask('/api/classroom/join', post({ code }))).status).toBe(403);
  });

  it('sees its own sessions alone', async () => {
    const { id } = await begin(teacher);
    const other = await api.logIn('grace', 'teacher');
    for (const path of [`${SESSIONS}/${id}/access-code`, `${SESSIONS}/${id}/analytics`]) {
      expect((await other.ask(path)).status).toBe(404);
    }
    expect((await other.ask(`${SESSIONS}/${id}`, { method: 'DELETE' })).status).toBe(404);
    expect((await other.ask(SESSIONS)).body).toEqual({ sessions: [] });
    expect((await teacher.ask(`${SESSIONS}/nobody/analytics`)).status).toBe(404);
  });

  it('tries ten codes a minute', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      statuses.push((await student.ask('/api/classroom/join', post({ code: newCode() }))).status);
    }
    expect(statuses).toEqual([...Array(10).fill(404), 429, 429]);
    const { headers } = await student.ask('/api/classroom/join', post({ code: newCode() }));
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('bad bodies', () => {
  const huge = { code: 'x'.repeat(70_000) };
  it.each<[string, number, unknown]>([
    ['not JSON', 400, '{'],
    ['no object', 400, '[]'],
    ['no code', 400, {}],
    ['a code that is a number', 400, { code: 7 }],
    ['a code that can be none', 400, { code: 'ABC' }],
    ['a code with U+0000', 400, { code: '\u0000'.repeat(10) }],
    ['another field', 400, { code: newCode(), more: 1 }],
    ['too much', 413, huge],
  ])('to join: %s', async (_name, status, body) => {
    const api = classroomApi({ ...servers, phase: 'dual' });
    const student = await api.logIn('eve', 'student');
    const answer = await student.ask('/api/classroom/join', post(body));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it.each<[string, number, unknown]>([
    ['no title', 400, {}],
    ['an empty one', 400, { title: '' }],
    ['one that is too long', 400, { title: 'x'.repeat(201) }],
    ['one that PostgreSQL cannot keep', 400, { title: 'a\u0000' }],
    ['half of a letter', 400, { title: '\ud800' }],
    ['too much', 413, { title: 'x'.repeat(70_000) }],
  ])('to begin: %s', async (_name, status, body) => {
    const api = classroomApi({ ...servers, phase: 'dual' });
    const teacher = await api.logIn('ada', 'teacher');
    expect((await teacher.ask(SESSIONS, post(body))).status).toBe(status);
  });
});

test('no secret is in the log or in an error, whatever goes wrong', async () => {
  let isAway = false;
  const send = (command: readonly (string | Buffer)[]) =>
    isAway ? Promise.reject(new Error('away')) : servers.redis.send(command);
  const api = classroomApi({ ...servers, phase: 'dual', send });
  const [teacher, student] = await Promise.all([api.logIn('ada', 'teacher'), api.logIn('eve', 'student')]);
  const { code } = await begin(teacher);
  const secrets = [teacher, student].flatMap(({ cookie, token }) => [cookie.split('=')[1] ?? '', token]);
  const guesses = [newSecret(), newCode(), `${newSecret()}x`];
  const errors: string[] = [];
  const noting = async (asked: ReturnType<Browser['ask']>) =>
    void errors.push(JSON.stringify((await asked).body));
  const tryAll = async () => {
    await noting(student.ask('/api/classroom/join', post({ code: guesses[1] })));
    await noting(student.ask('/api/classroom/join', post({ code: guesses[2] })));
    await noting(student.ask('/api/classroom/join', post(`{"code":"${code}"`)));
    await noting(student.ask('/api/classroom/join', post({ code, [guesses[0] ?? '']: 1 })));
    await noting(student.ask(LOGOUT, { method: 'POST', headers: { 'x-csrf-token': guesses[0] ?? '' } }));
    await noting(api.ask(CURRENT, { headers: { cookie: `__Host-cutover_session=${guesses[0]}` } }));
  };
  await tryAll();
  for (const key of (await servers.redis.send(['KEYS', '*'])) as string[]) {
    await servers.redis.send(['UNLINK', key]);
    await servers.redis.send(['RPUSH', key, 'x']);
  }
  await tryAll();
  isAway = true;
  await tryAll();
  await noting(student.ask('/api/classroom/join', post({ code })));
  await noting(student.ask(LOGOUT, { method: 'POST' }));
  expect(api.log.length).toBeGreaterThan(5);
  const told = [...api.log, ...errors].join('\n');
  for (const secret of [...secrets, ...guesses, code, readCode(code) ?? '', ...secrets.map(hashOf)]) {
    expect(secret.length).toBeGreaterThan(5);
    expect(told).not.toContain(secret);
  }
});

test('Redis and the database away: 503 with Retry-After, and the cookie stays', async () => {
  const up = classroomApi({ ...servers, phase: 'dual' });
  const { cookie, token } = await up.logIn('ada', 'teacher');
  const gone = () => Promise.reject(new Error('away'));
  const down = classroomApi({
    ...servers,
    phase: 'dual',
    send: gone,
    database: { query: gone, connect: gone } as unknown as Database,
  });
  for (const [path, method] of [
    [CURRENT, 'GET'],
    [SESSIONS, 'GET'],
    [LOGOUT, 'POST'],
  ] as const) {
    const answer = await down.ask(path, { method, headers: { cookie, 'x-csrf-token': token } });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.headers.get('set-cookie')).toBeNull();
  }
  expect((await down.ask(LOGIN, { method: 'POST', claims: { sub: 'ada', role: 'teacher' } })).status).toBe(
    503,
  );
  const noDatabase = classroomApi({
    ...servers,
    phase: 'dual',
    database: { query: gone, connect: gone } as unknown as Database,
  });
  const asked = { headers: { cookie, 'x-csrf-token': token } };
  expect((await noDatabase.ask(CURRENT, asked)).status).toBe(200);
  expect((await noDatabase.ask(LOGOUT, { method: 'POST', ...asked })).status).toBe(503);
  expect((await up.ask(CURRENT, asked)).status).toBe(200);
});

test('without any Redis the database serves all but the analytics', async () => {
  const api = classroomApi({ ...servers, phase: 'dual', send: null });
  const [teacher, student] = await Promise.all([api.logIn('ada', 'teacher'), api.logIn('eve', 'student')]);
  const { id, code } = await begin(teacher);
  expect((await teacher.ask(SESSIONS)).body).toEqual({ sessions: [id] });
  expect((await teacher.ask(`${SESSIONS}/${id}/access-code`)).body).toEqual({
    accessCode: shownCode(readCode(code) ?? ''),
  });
  expect((await student.ask('/api/classroom/join', post({ code }))).status).toBe(200);
  expect((await student.ask('/api/classroom/join', post({ code }))).status).toBe(404);
  expect((await student.ask(LOGOUT, { method: 'POST' })).status).toBe(204);
  expect((await student.ask(CURRENT)).status).toBe(401);
});
