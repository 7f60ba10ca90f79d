import { beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import { MAX_MEMBERS, teacherKey } from '../../../lambda/stores/teacher-sessions.ts';
import {
  EDGES,
  HOMES,
  type Instance,
  instance,
  NAMESPACE,
  PHASES,
  type StateServers,
  stateServers,
} from '../../support/state.ts';

const KEY = teacherKey('ada');

let servers: StateServers;
beforeAll(async () => {
  servers = await stateServers();
});
beforeEach(async () => void (await servers.redis.send(['FLUSHALL'])));

const send = (...command: string[]) => servers.redis.send(command);
const members = async (prefix: string) => ((await send('SMEMBERS', prefix + KEY)) as string[]).sort();
const known = async ({ teachers }: Instance) => {
  const found = await teachers.read('ada');
  return found.kind === 'known' ? [...found.ids].sort() : found.kind;
};
const fill = ({ teachers }: Instance, ids: readonly string[], later = ids) =>
  teachers.fill('ada', ids, async () => later);

describe.each(PHASES)('in phase %s', (phase) => {
  let one: Instance;
  beforeEach(() => {
    one = instance({ ...servers, phase });
  });

  it('knows what it was filled with, and each change since, in every place', async () => {
    expect(await known(one)).toBe('unknown');
    await fill(one, ['a', 'b']);
    expect(await known(one)).toEqual(['a', 'b']);
    expect(await one.teachers.add('ada', 'c')).toBe(true);
    expect(await one.teachers.remove('ada', 'a')).toBe(true);
    expect(await known(one)).toEqual(['b', 'c']);
    for (const prefix of HOMES[phase]) {
      expect(await members(prefix)).toEqual(['b', 'c']);
      expect(Number(await send('PTTL', prefix + KEY))).toBeGreaterThan(0);
    }
    expect(await send('DBSIZE')).toBe(HOMES[phase].length);
  });

  it('makes no set of one that was added: it would look like all of them', async () => {
    expect(await one.teachers.add('ada', 'c')).toBe(true);
    expect(await known(one)).toBe('unknown');
    expect(await send('DBSIZE')).toBe(0);
  });

  it('is right where a session began and another ended while it was filled', async () => {
    // Both were said before there was a set.
    await fill(one, ['a', 'b'], ['b', 'c']);
    expect(await known(one)).toEqual(['b', 'c']);
  });

  it('leaves a set as it is that somebody else has filled', async () => {
    await fill(one, ['a']);
    await fill(one, ['b'], ['a']);
    expect(await known(one)).toEqual(['a']);
  });

  it('is not filled with nothing, nor with more than fits', async () => {
    await fill(one, []);
    await fill(
      one,
      Array.from({ length: MAX_MEMBERS + 1 }, (_, index) => `${index}`),
    );
    expect(await known(one)).toBe('unknown');
    await fill(
      one,
      Array.from({ length: MAX_MEMBERS }, (_, index) => `${index}`),
    );
    expect(await known(one)).toHaveLength(MAX_MEMBERS);
  });

  it('leaves it to the database where Redis is away, and says what could not be said', async () => {
    await fill(one, ['a']);
    const away = instance({ ...servers, phase, send: () => Promise.reject(new Error('away')) });
    expect(await known(away)).toBe('unknown');
    expect(await away.teachers.add('ada', 'b')).toBe(false);
    expect(await away.teachers.remove('ada', 'a')).toBe(false);
    await fill(away, ['a']);
  });

  it('leaves it to the database where a key has another type, and counts it', async () => {
    const [prefix = ''] = HOMES[phase];
    await send('SET', prefix + KEY, '{"barrier":true}');
    expect(await known(one)).toBe('unknown');
    expect(one.state.counts.foreign).toBe(1);
    expect(await one.teachers.add('ada', 'b')).toBe(false);
    expect(one.troubles.map(({ family }) => family)).toEqual(['teacher_sessions', 'teacher_sessions']);
  });
});

describe.each(EDGES)('from %s to %s', (here, there) => {
  test('what is added and removed in one is so in the other', async () => {
    const [one, other] = [instance({ ...servers, phase: here }), instance({ ...servers, phase: there })];
    await fill(one, ['a', 'b']);
    expect(await known(other)).toEqual(['a', 'b']);
    await other.teachers.add('ada', 'c');
    await other.teachers.remove('ada', 'a');
    expect(await known(one)).toEqual(['b', 'c']);
    await one.teachers.remove('ada', 'b');
    expect(await known(other)).toEqual(['c']);
  });
});

test('dual answers the union of what both places have', async () => {
  const dual = instance({ ...servers, phase: 'dual' });
  await send('SADD', KEY, 'a', 'b');
  await send('SADD', NAMESPACE + KEY, 'b', 'c');
  expect(await known(dual)).toEqual(['a', 'b', 'c']);
  await dual.teachers.remove('ada', 'b');
  expect(await known(dual)).toEqual(['a', 'c']);
});

test('what was removed while only one home was kept does not come back with the other', async () => {
  const [dual, prefixed] = [
    instance({ ...servers, phase: 'dual' }),
    instance({ ...servers, phase: 'prefixed' }),
  ];
  await fill(dual, ['a', 'b']);
  await prefixed.teachers.remove('ada', 'a');
  expect(await known(dual)).toEqual(['b']);
});
