import { beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { newCode, readCode, shownCode } from '../../../lambda/stores/access-code.ts';
import { CODE_SECONDS } from '../../../lambda/stores/access-codes.ts';
import {
  EDGES,
  HOMES,
  type Instance,
  instance,
  PHASES,
  type StateServers,
  stateServers,
} from '../../support/state.ts';

const ROOM = 'room-1';

let servers: StateServers;
beforeAll(async () => {
  servers = await stateServers();
});
beforeEach(async () => {
  await servers.redis.send(['FLUSHALL']);
  await servers.database.query('TRUNCATE classroom_sessions CASCADE');
  await servers.database.query(
    "INSERT INTO classroom_sessions (id, teacher_id, title) VALUES ($1, 'ada', 't')",
    [ROOM],
  );
});

const send = (...command: string[]) => servers.redis.send(command);
const issued = async ({ codes }: Instance) => {
  const code = await codes.issue(servers.database, ROOM);
  await codes.remember(ROOM, code);
  return code.code;
};
const use = ({ codes }: Instance, code: string) => codes.use(servers.database, { code, userId: 'eve' });

describe('a code', () => {
  test('has 49 random bits, no letter that looks like another, and is never the same', () => {
    const codes = Array.from({ length: 10_000 }, newCode);
    expect(new Set(codes).size).toBe(10_000);
    const letters = new Set(codes.join(''));
    expect([...letters].sort().join('')).toBe('23456789ABCDEFGHJKMNPQRSTVWXYZ');
    expect(Math.log2(letters.size) * 10).toBeGreaterThan(40);
    for (const code of codes.slice(0, 100)) expect(readCode(shownCode(code))).toBe(code);
  });

  test.each<[string, string | undefined]>([
    ['7K2QX-W9MBD', '7K2QXW9MBD'],
    [' 7k2qx w9mbd ', '7K2QXW9MBD'],
    ['7K2QXW9MB', undefined],
    ['7K2QXW9MBDD', undefined],
    ['7K2QXW9MB0', undefined],
    ['7K2QXW9MBU', undefined],
    ['', undefined],
    ["'; DROP --", undefined],
    ['7K2QXW9MB\u0000', undefined],
    ['*'.repeat(10), undefined],
  ])('%j is read as %j', (typed, code) => {
    expect(readCode(typed)).toBe(code);
  });
});

describe.each(PHASES)('in phase %s', (phase) => {
  let one: Instance;
  beforeEach(() => {
    one = instance({ ...servers, phase });
  });

  it('is issued, known, and used once', async () => {
    const code = await issued(one);
    expect(await one.codes.known(ROOM)).toBe(code);
    expect(await one.codes.look(code)).toBe('unused');
    expect(await use(one, code)).toBe(ROOM);
    expect(await use(one, code)).toBeUndefined();
    await one.codes.forget(ROOM, code);
    expect(await one.codes.look(code)).toBe('used');
    expect(await one.codes.known(ROOM)).toBeUndefined();
    expect(await one.codes.latest(servers.database, ROOM)).toBeUndefined();
  });

  it('is where this phase stores, no longer than it is good', async () => {
    const code = await issued(one);
    const keys = [`session:${ROOM}:access_code`, `access_code:${code}`];
    const places = HOMES[phase].flatMap((prefix) => keys.map((key) => prefix + key));
    expect(((await send('KEYS', '*')) as string[]).sort()).toEqual(places.sort());
    for (const place of places) {
      const ttl = Number(await send('PTTL', place));
      expect(ttl).toBeGreaterThan((CODE_SECONDS - 30) * 1000);
      expect(ttl).toBeLessThanOrEqual(CODE_SECONDS * 1000);
    }
  });

  it('of no use: unknown, expired, of a session that has ended', async () => {
    expect(await use(one, newCode())).toBeUndefined();
    const expired = await issued(one);
    await servers.database.query('UPDATE access_codes SET expires_at = now()');
    expect(await use(one, expired)).toBeUndefined();
    const ended = await issued(one);
    await servers.database.query('UPDATE classroom_sessions SET ended_at = now()');
    expect(await use(one, ended)).toBeUndefined();
  });

  it('is left to the database where Redis has lost it, is away, or holds what is foreign', async () => {
    const code = await issued(one);
    const away = instance({ ...servers, phase, send: () => Promise.reject(new Error('away')) });
    expect(await away.codes.look(code)).toBe('unknown');
    expect(await away.codes.known(ROOM)).toBeUndefined();
    await away.codes.remember(ROOM, { code, expiresAtMs: Date.now() + 1000 });
    await away.codes.forget(ROOM, code);
    await send('FLUSHALL');
    expect(await one.codes.look(code)).toBe('unknown');
    expect((await one.codes.latest(servers.database, ROOM))?.code).toBe(code);
    const [prefix = ''] = HOMES[phase];
    await send('RPUSH', `${prefix}access_code:${code}`, 'x');
    await send('SET', `${prefix}session:${ROOM}:access_code`, 'no code');
    expect(await one.codes.look(code)).toBe('unknown');
    expect(await one.codes.known(ROOM)).toBeUndefined();
    expect(one.state.counts.foreign).toBe(1);
    expect(await use(one, code)).toBe(ROOM);
  });

  it('stays used, whoever tells Redis of it late', async () => {
    const code = await one.codes.issue(servers.database, ROOM);
    await use(one, code.code);
    await one.codes.forget(ROOM, code.code);
    await one.codes.remember(ROOM, code);
    expect(await one.codes.look(code.code)).toBe('used');
    expect(await one.codes.known(ROOM)).toBeUndefined();
  });
});

test.each(EDGES)('a code that was used in %s is used in %s', async (here, there) => {
  const [one, other] = [instance({ ...servers, phase: here }), instance({ ...servers, phase: there })];
  const code = await issued(other);
  expect(await other.codes.look(code)).toBe('unused');
  await use(one, code);
  await one.codes.forget(ROOM, code);
  expect(await other.codes.look(code)).toBe('used');
});

test('where two places name two codes, the database says which is the latest', async () => {
  const [dual, prefixed] = [
    instance({ ...servers, phase: 'dual' }),
    instance({ ...servers, phase: 'prefixed' }),
  ];
  const first = await issued(dual);
  const second = await issued(prefixed);
  expect(first).not.toBe(second);
  expect(await dual.codes.known(ROOM)).toBeUndefined();
  expect((await dual.codes.latest(servers.database, ROOM))?.code).toBe(second);
});

test('codes that expired long ago go with new ones', async () => {
  const one = instance({ ...servers, phase: 'legacy' });
  for (let count = 0; count < 5; count += 1) await issued(one);
  await servers.database.query("UPDATE access_codes SET expires_at = now() - interval '2 days'");
  await issued(one);
  expect((await servers.database.query('SELECT FROM access_codes')).rowCount).toBe(1);
});
