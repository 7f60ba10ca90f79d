import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { BARRIER_MS } from '../../../lambda/cache/state-marks.ts';
import { retentionSeconds } from '../../../lambda/contract/families.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import {
  ENTRY_SECONDS,
  hashOf,
  isSameHash,
  newSecret,
  SAVE_AFTER_MS,
  SESSION_LIMITS,
  sessionKey,
  TOUCH_AFTER_MS,
} from '../../../lambda/stores/session-record.ts';
import { holding } from '../../support/held-database.ts';
import {
  dispatched,
  HOMES,
  type Instance,
  instance,
  NAMESPACE,
  PHASES,
  type StateServers,
  stateServers,
} from '../../support/state.ts';

const ADA = { userId: 'ada', role: 'teacher' } as const;

let servers: StateServers;
beforeAll(async () => {
  servers = await stateServers();
});
beforeEach(async () => {
  await servers.redis.send(['FLUSHALL']);
  await servers.database.query('TRUNCATE secure_sessions, cutover_outbox');
});

const send = (...command: string[]) => servers.redis.send(command);
const keyOf = (id: string, prefix = '') => prefix + sessionKey(hashOf(id));
const keysIn = async () => ((await send('KEYS', '*')) as string[]).sort();
const rows = async () =>
  (
    await servers.database.query(
      'SELECT kind, name, confirmed_at IS NOT NULL AS confirmed FROM cutover_outbox',
    )
  ).rows;
const gone = { kind: 'none', why: 'ended' };
const brokenSend = () => Promise.reject(new Error('away'));
const away = {
  query: () => Promise.reject(new Error('away')),
  connect: () => Promise.reject(new Error('away')),
};

describe.each(PHASES)('in phase %s', (phase) => {
  let one: Instance;
  beforeEach(() => {
    one = instance({ ...servers, phase });
  });

  it('begins a session, keeps hashes of its secrets only, and finds it by its id', async () => {
    const { id, csrfToken, session } = await one.sessions.begin({ ...ADA, data: { theme: 'dark' } });
    expect(session).toMatchObject({ ...ADA, data: { theme: 'dark' }, version: 1 });
    expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'redis', session: ADA });
    expect(await keysIn()).toEqual(HOMES[phase].map((prefix) => keyOf(id, prefix)).sort());
    const stored = [
      JSON.stringify((await servers.database.query('SELECT * FROM secure_sessions')).rows),
      ...(await Promise.all((await keysIn()).map((key) => send('GET', key)))).map(String),
      ...(await keysIn()),
    ].join();
    expect(stored).toContain('ada');
    expect(stored).not.toContain(id);
    expect(stored).not.toContain(csrfToken);
  });

  it('lets Redis keep an entry no longer than the outbox remembers, nor than the session lasts', async () => {
    const { id } = await one.sessions.begin(ADA);
    const [prefix = ''] = HOMES[phase];
    const ttl = Number(await send('PTTL', keyOf(id, prefix)));
    expect(ttl).toBeGreaterThan((ENTRY_SECONDS - 30) * 1000);
    expect(ttl).toBeLessThanOrEqual(ENTRY_SECONDS * 1000);
    expect(ENTRY_SECONDS).toBeLessThanOrEqual(retentionSeconds([]));

    const short = instance({ ...servers, phase, limits: { idleSeconds: 60, absoluteSeconds: 5 } });
    const { id: ending } = await short.sessions.begin(ADA);
    expect(Number(await send('PTTL', keyOf(ending, prefix)))).toBeLessThanOrEqual(5000);
  });

  it.each([
    '',
    'x',
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(42)}=`,
    `${'a'.repeat(42)}:`,
    '\u0000'.repeat(43),
    '../'.repeat(15),
  ])('knows a malformed id without asking: %j', async (id) => {
    const nobody = instance({ ...servers, phase, send: brokenSend, database: away as unknown as Database });
    expect(await nobody.sessions.resolve(id)).toEqual({ kind: 'none', why: 'malformed' });
  });

  it('knows no forged id, and stores nothing for one', async () => {
    expect(await one.sessions.resolve(newSecret())).toEqual({ kind: 'none', why: 'unknown' });
    expect(await one.sessions.revoke(hashOf(newSecret()))).toBeUndefined();
    expect(await one.sessions.update(hashOf(newSecret()), { a: 'b' })).toBeUndefined();
    expect(await one.sessions.rotate(newSecret())).toBeUndefined();
    expect(await keysIn()).toEqual([]);
    expect(await rows()).toEqual([]);
  });

  it('does not know the hash of an id as an id', async () => {
    const { session } = await one.sessions.begin(ADA);
    expect(await one.sessions.resolve(session.hash)).toEqual({ kind: 'none', why: 'unknown' });
  });

  it('asks the database for what Redis has lost, and stores it again', async () => {
    const { id } = await one.sessions.begin(ADA);
    await send('FLUSHALL');
    expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'database', session: ADA });
    expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'redis' });
    expect(await keysIn()).toEqual(HOMES[phase].map((prefix) => keyOf(id, prefix)).sort());
  });

  it('is answered by the database while Redis is away, and by nobody where both are', async () => {
    const { id } = await one.sessions.begin(ADA);
    const withoutRedis = instance({ ...servers, phase, send: brokenSend });
    expect(await withoutRedis.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'database' });
    const database = away as unknown as Database;
    expect(await instance({ ...servers, phase, send: brokenSend, database }).sessions.resolve(id)).toEqual({
      kind: 'unavailable',
    });
    // With Redis there, the database is not missed.
    expect(await instance({ ...servers, phase, database }).sessions.resolve(id)).toMatchObject({
      source: 'redis',
    });
  });

  it('is gone for good once it has ended', async () => {
    const { id, session } = await one.sessions.begin(ADA);
    expect(await one.sessions.revoke(session.hash)).toEqual({ invalidation: 'done' });
    expect(await one.sessions.resolve(id)).toEqual(gone);
    await send('FLUSHALL');
    expect(await one.sessions.resolve(id)).toEqual(gone);
    expect(await one.sessions.revoke(session.hash)).toEqual({ invalidation: 'done' });
    expect(await one.sessions.update(session.hash, { a: 'b' })).toBeUndefined();
    expect(await one.sessions.rotate(id)).toBeUndefined();
  });

  it('leaves a tombstone wherever a phase beside this one reads, for as long as the session would have lasted', async () => {
    const { id, session } = await one.sessions.begin(ADA);
    await one.sessions.revoke(session.hash);
    const prefixes = phase === 'isolated' ? [''] : ['', NAMESPACE];
    for (const prefix of prefixes) {
      expect(JSON.parse(String(await send('GET', keyOf(id, prefix))))).toMatchObject({
        revoked: true,
        version: 2,
      });
      const ttl = Number(await send('PTTL', keyOf(id, prefix)));
      expect(ttl).toBeGreaterThan((SESSION_LIMITS.absoluteSeconds - 60) * 1000);
    }
    expect(await keysIn()).toHaveLength(prefixes.length);
  });

  it('cannot be stored again by a request that has read the database before', async () => {
    const held = holding(servers.database);
    const slow = instance({ ...servers, database: held.database, phase });
    const { id, session } = await one.sessions.begin(ADA);
    await send('FLUSHALL');
    const { answered, release } = held.arm('session');
    const reading = slow.sessions.resolve(id);
    await answered;
    expect(await one.sessions.revoke(session.hash)).toEqual({ invalidation: 'done' });
    release();
    // It began before the end.
    expect(await reading).toMatchObject({ kind: 'live' });
    expect(await slow.sessions.resolve(id)).toEqual(gone);
    expect(await one.sessions.resolve(id)).toEqual(gone);
  });

  it('without tombstones it would be: the same requests with an UNLINK bring the session back', async () => {
    const naive = instance({
      ...servers,
      phase,
      send: ([name = '', key = '', value = '', ...more]) =>
        servers.redis.send(
          String(value).includes('revoked') ? ['UNLINK', key] : [name, key, value, ...more].filter(Boolean),
        ),
    });
    const held = holding(servers.database);
    const slow = instance({ ...servers, database: held.database, phase });
    const { id, session } = await one.sessions.begin(ADA);
    await send('FLUSHALL');
    const { answered, release } = held.arm('session');
    const reading = slow.sessions.resolve(id);
    await answered;
    expect(await naive.sessions.revoke(session.hash)).toEqual({ invalidation: 'done' });
    release();
    await reading;
    expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'redis' });
  });

  it('keeps an update that a slower request would overwrite, which has read the row before it', async () => {
    const race = async (slowSend = servers.redis.send) => {
      const held = holding(servers.database);
      const slow = instance({ ...servers, database: held.database, phase, send: slowSend });
      const { id, session } = await one.sessions.begin(ADA);
      await send('FLUSHALL');
      const { answered, release } = held.arm('session');
      const reading = slow.sessions.resolve(id);
      await answered;
      expect(await one.sessions.update(session.hash, { lesson: '7' })).toMatchObject({
        invalidation: 'done',
      });
      release();
      await reading;
      const found = await one.sessions.resolve(id);
      return found.kind === 'live' ? found.session.data : found;
    };
    expect(await race()).toEqual({ lesson: '7' });
    // Without the comparison of versions, it is lost.
    const naive: typeof servers.redis.send = (command) =>
      servers.redis.send(
        command[0] === 'EVAL' && String(command[1]).includes('seen.version')
          ? ['SET', command[3] ?? '', command[5] ?? '', 'PX', command[6] ?? '']
          : command,
      );
    expect(await race(naive)).toEqual({});
  });

  it('ends the old id where it gives a new one, and keeps the end', async () => {
    const { id, csrfToken, session } = await one.sessions.begin({ ...ADA, data: { a: 'b' } });
    const rotated = await one.sessions.rotate(id);
    expect(rotated).toMatchObject({
      session: { ...ADA, data: { a: 'b' }, expiresAtMs: session.expiresAtMs },
      invalidation: 'done',
    });
    expect([rotated?.id, rotated?.csrfToken]).not.toEqual(expect.arrayContaining([id]));
    expect(rotated?.csrfToken).not.toBe(csrfToken);
    expect(await one.sessions.resolve(id)).toEqual(gone);
    expect(await one.sessions.resolve(rotated?.id ?? '')).toMatchObject({ kind: 'live' });
  });

  it('gives one new id to many who ask for one at once', async () => {
    const { id } = await one.sessions.begin(ADA);
    const rotated = await Promise.all(Array.from({ length: 20 }, () => one.sessions.rotate(id)));
    expect(rotated.filter((each) => each !== undefined)).toHaveLength(1);
  });

  it('ends the session that a login comes with', async () => {
    const { id } = await one.sessions.begin(ADA);
    const next = await one.sessions.begin({ userId: 'eve', role: 'student' }, id);
    expect(next).toMatchObject({ session: { userId: 'eve', data: {} }, invalidation: 'done' });
    expect(await one.sessions.resolve(id)).toEqual(gone);
    expect(await one.sessions.begin(ADA, 'no id')).toMatchObject({ session: ADA });
  });

  it('is expired when the database says so, and when its entry is past its end', async () => {
    const { id } = await one.sessions.begin(ADA);
    const late = instance({
      ...servers,
      phase,
      now: () => Date.now() + (SESSION_LIMITS.absoluteSeconds + 1) * 1000,
    });
    await servers.database.query("UPDATE secure_sessions SET absolute_expires_at = now() - interval '1s'");
    expect(await late.sessions.resolve(id)).toEqual({ kind: 'none', why: 'unknown' });
    await send('FLUSHALL');
    expect(await one.sessions.resolve(id)).toEqual({ kind: 'none', why: 'unknown' });
    await servers.database.query(
      "UPDATE secure_sessions SET absolute_expires_at = now() + interval '1h', idle_expires_at = now()",
    );
    expect(await one.sessions.resolve(id)).toEqual({ kind: 'none', why: 'unknown' });
    expect(await keysIn()).toEqual([]);
  });

  it.each([
    'not JSON',
    '{}',
    '7',
    'null',
    '[]',
    '{"version":99}',
    '{"version":"9","userId":"eve","role":"teacher"}',
    '{"version":1,"revoked":"yes"}',
  ])(
    'does not believe what none of its kind has written, counts it, and writes over it: %s',
    async (value) => {
      const { id } = await one.sessions.begin(ADA);
      for (const prefix of HOMES[phase]) await send('SET', keyOf(id, prefix), value);
      expect(await one.sessions.resolve(id)).toMatchObject({
        kind: 'live',
        source: 'database',
        session: ADA,
      });
      expect(one.state.counts.foreign).toBe(HOMES[phase].length);
      expect(one.troubles.map(({ family }) => family)).toEqual(HOMES[phase].map(() => 'secure_session'));
    },
  );

  it('asks the database where a key has another type, counts it, and still ends the session', async () => {
    const { id, session } = await one.sessions.begin(ADA);
    for (const prefix of HOMES[phase]) {
      await send('UNLINK', keyOf(id, prefix));
      await send('RPUSH', keyOf(id, prefix), 'x');
    }
    expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'database' });
    expect(one.state.counts.foreign).toBeGreaterThanOrEqual(HOMES[phase].length);
    expect(JSON.stringify(one.troubles)).not.toContain(session.hash);
    expect(await one.sessions.revoke(session.hash)).toEqual({ invalidation: 'done' });
    expect(await one.sessions.resolve(id)).toEqual(gone);
  });

  describe('where Redis could not be told', () => {
    /** Answers reads, and nothing that is said. */
    const deaf = () =>
      instance({
        ...servers,
        phase,
        send: (command) => (command[0] === 'GET' ? servers.redis.send(command) : brokenSend()),
      });

    it('an end is pending, and the dispatcher makes good for it', async () => {
      const { id, session } = await one.sessions.begin(ADA);
      expect(await deaf().sessions.revoke(session.hash)).toEqual({ invalidation: 'pending' });
      // What is said of it: until the dispatcher has run.
      expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'redis' });
      expect(await rows()).toEqual([{ kind: 'state', name: sessionKey(session.hash), confirmed: false }]);
      expect(await dispatched(servers)).toMatchObject({ confirmed: 1, pending: false });
      expect(await one.sessions.resolve(id)).toEqual(gone);
    });

    it('an update is pending, and what is older cannot be stored for as long as a request lives', async () => {
      const { id, session } = await one.sessions.begin(ADA);
      const old = String(await send('GET', keyOf(id, HOMES[phase][0])));
      expect(await deaf().sessions.update(session.hash, { a: 'b' })).toMatchObject({
        invalidation: 'pending',
      });
      await dispatched(servers);
      expect(await one.sessions.resolve(id)).toMatchObject({
        source: 'database',
        session: { data: { a: 'b' } },
      });
      expect(await one.sessions.resolve(id)).toMatchObject({ source: 'database' });
      const [prefix = ''] = HOMES[phase];
      expect(await send('GET', keyOf(id, prefix))).not.toBe(old);
      expect(Number(await send('PTTL', keyOf(id, prefix)))).toBeLessThanOrEqual(BARRIER_MS);
    });

    it('a session that nobody has told Redis of is found all the same', async () => {
      const { id } = await deaf().sessions.begin(ADA);
      expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'database' });
    });

    it('a barrier leaves a tombstone as it is, and takes the place of whatever else', async () => {
      const { id, session } = await one.sessions.begin(ADA);
      await one.sessions.revoke(session.hash);
      await servers.database.query('UPDATE cutover_outbox SET confirmed_at = NULL');
      await dispatched(servers);
      const [prefix = ''] = HOMES[phase];
      expect(JSON.parse(String(await send('GET', keyOf(id, prefix))))).toMatchObject({ revoked: true });
      await send('UNLINK', keyOf(id, prefix));
      await send('SADD', keyOf(id, prefix), 'x');
      await servers.database.query('UPDATE cutover_outbox SET confirmed_at = NULL');
      expect(await dispatched(servers)).toMatchObject({ pending: false });
      expect(await send('GET', keyOf(id, prefix))).toBe('{"barrier":true}');
    });
  });

  describe('in use', () => {
    const at = (ms: number) => instance({ ...servers, phase, now: () => Date.now() + ms });
    const usedAt = async () =>
      Number(
        (await servers.database.query('SELECT extract(epoch FROM used_at) AS s FROM secure_sessions')).rows[0]
          .s,
      );
    const [prefix = ''] = HOMES[phase];

    it('is noted in Redis once a minute, for as long as an entry lives', async () => {
      const { id } = await one.sessions.begin(ADA);
      await send('PEXPIRE', keyOf(id, prefix), '100000');
      await at(TOUCH_AFTER_MS - 1000).sessions.resolve(id);
      expect(Number(await send('PTTL', keyOf(id, prefix)))).toBeLessThanOrEqual(100_000);
      await at(TOUCH_AFTER_MS + 1).sessions.resolve(id);
      expect(Number(await send('PTTL', keyOf(id, prefix)))).toBeGreaterThan(100_000);
    });

    it('is noted in the database once each five minutes, by one of many', async () => {
      const { id } = await one.sessions.begin(ADA);
      await servers.database.query("UPDATE secure_sessions SET used_at = used_at - interval '1h'");
      const before = await usedAt();
      await at(TOUCH_AFTER_MS + 1).sessions.resolve(id);
      expect(await usedAt()).toBe(before);
      let saves = 0;
      const counting = new Proxy(servers.database, {
        get: (target, property) =>
          property === 'query'
            ? (query: { name?: string }) => {
                if (query.name === 'session-use') saves += 1;
                return target.query(query as never);
              }
            : Reflect.get(target, property),
      });
      const now = () => Date.now() + SAVE_AFTER_MS + 1;
      const late = instance({ ...servers, database: counting, phase, now });
      await Promise.all(Array.from({ length: 50 }, () => late.sessions.resolve(id)));
      expect(saves).toBe(1);
      expect(await usedAt()).toBeGreaterThan(before);
    });

    it('is noted in the database where Redis is away, too', async () => {
      const { id } = await one.sessions.begin(ADA);
      await servers.database.query("UPDATE secure_sessions SET used_at = used_at - interval '6 min'");
      const before = await usedAt();
      await instance({ ...servers, phase, send: brokenSend }).sessions.resolve(id);
      expect(await usedAt()).toBeGreaterThan(before + 300);
    });

    it('revives nobody: what the database has ended is found out by use, within five minutes', async () => {
      const { id } = await one.sessions.begin(ADA);
      await servers.database.query('UPDATE secure_sessions SET revoked_at = now()');
      expect(await one.sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'redis' });
      expect(await at(SAVE_AFTER_MS + 1).sessions.resolve(id)).toEqual(gone);
      expect(await one.sessions.resolve(id)).toEqual(gone);
    });

    it('is not lost where the database could not be told', async () => {
      const { id } = await one.sessions.begin(ADA);
      const now = () => Date.now() + SAVE_AFTER_MS + 1;
      const database = away as unknown as Database;
      expect(await instance({ ...servers, database, phase, now }).sessions.resolve(id)).toMatchObject({
        kind: 'live',
      });
    });
  });
});

describe('two places that differ', () => {
  test('the higher version wins, and the lower is repaired', async () => {
    const [legacy, dual] = [
      instance({ ...servers, phase: 'legacy' }),
      instance({ ...servers, phase: 'dual' }),
    ];
    const { id, session } = await dual.sessions.begin(ADA);
    const old = String(await send('GET', keyOf(id)));
    await dual.sessions.update(session.hash, { a: 'b' });
    await send('SET', keyOf(id, NAMESPACE), old, 'PX', '600000');
    expect(await dual.sessions.resolve(id)).toMatchObject({
      source: 'redis',
      session: { data: { a: 'b' }, version: 2 },
    });
    expect(JSON.parse(String(await send('GET', keyOf(id, NAMESPACE))))).toMatchObject({ version: 2 });
    expect(await legacy.sessions.resolve(id)).toMatchObject({ session: { version: 2 } });
  });

  test('one that is missing is stored again', async () => {
    const dual = instance({ ...servers, phase: 'dual' });
    const { id } = await dual.sessions.begin(ADA);
    await send('UNLINK', keyOf(id, NAMESPACE));
    expect(await dual.sessions.resolve(id)).toMatchObject({ source: 'redis' });
    expect(await send('EXISTS', keyOf(id, NAMESPACE))).toBe(1);
  });

  test('a tombstone wins over whatever the other place has', async () => {
    const dual = instance({ ...servers, phase: 'dual' });
    const { id } = await dual.sessions.begin(ADA);
    const live = JSON.parse(String(await send('GET', keyOf(id))));
    await send('SET', keyOf(id), '{"version":2,"revoked":true}');
    await send('SET', keyOf(id, NAMESPACE), JSON.stringify({ ...live, version: 9 }));
    expect(await dual.sessions.resolve(id)).toEqual(gone);
  });

  test('an update by the phase that keeps one home reaches what another phase reads after the way back', async () => {
    const [legacy, dual, prefixed] = (['legacy', 'dual', 'prefixed'] as const).map((phase) =>
      instance({ ...servers, phase }),
    );
    const begun = await dual?.sessions.begin(ADA);
    await prefixed?.sessions.update(begun?.session.hash ?? '', { a: 'b' });
    expect(await legacy?.sessions.resolve(begun?.id ?? '')).toMatchObject({
      source: 'redis',
      session: { version: 2 },
    });
  });
});

test('sessions that are over go with each new one', async () => {
  const { sessions } = instance({ ...servers, phase: 'legacy' });
  for (let count = 0; count < 15; count += 1) await sessions.begin(ADA);
  await servers.database.query("UPDATE secure_sessions SET absolute_expires_at = now() - interval '1s'");
  await sessions.begin(ADA);
  const count = async () => (await servers.database.query('SELECT FROM secure_sessions')).rowCount;
  expect(await count()).toBe(6);
  await sessions.begin(ADA);
  expect(await count()).toBe(2);
});

test('without a Redis the database alone answers', async () => {
  const { createStateRedis } = await import('../../../lambda/stores/state-redis.ts');
  const { createSessions } = await import('../../../lambda/stores/sessions.ts');
  const { keyspace } = instance({ ...servers, phase: 'legacy' });
  const sessions = createSessions({ redis: createStateRedis({ keyspace }), database: servers.database });
  const { id, session } = await sessions.begin(ADA);
  expect(await sessions.resolve(id)).toMatchObject({ kind: 'live', source: 'database' });
  expect(await sessions.revoke(session.hash)).toEqual({ invalidation: 'done' });
  expect(await sessions.resolve(id)).toEqual(gone);
});

test('ids are 256 random bits, stored as SHA-256, and hashes are compared whole', () => {
  const ids = Array.from({ length: 1000 }, newSecret);
  expect(new Set(ids).size).toBe(1000);
  expect(Buffer.from(ids[0] ?? '', 'base64url')).toHaveLength(32);
  expect(hashOf('id')).toBe(createHash('sha256').update('id').digest('base64url'));
  expect([isSameHash('a', 'a'), isSameHash('a', 'b'), isSameHash('a', 'ab')]).toEqual([true, false, false]);
});
