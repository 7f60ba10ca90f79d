import { beforeAll, beforeEach, describe, expect, it, test } from '@jest/globals';
import type { Database } from '../../../lambda/database/pool.ts';
import { createCsrf, csrfKey } from '../../../lambda/stores/csrf.ts';
import { hashOf, newSecret } from '../../../lambda/stores/session-record.ts';
import type { Begun } from '../../../lambda/stores/sessions.ts';
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

let servers: StateServers;
let begun: Begun;
beforeAll(async () => {
  servers = await stateServers();
});
beforeEach(async () => {
  await servers.redis.send(['FLUSHALL']);
  begun = await instance({ ...servers, phase: 'legacy' }).sessions.begin({ userId: 'ada', role: 'teacher' });
});

const send = (...command: string[]) => servers.redis.send(command);
const database = { query: () => Promise.reject(new Error('away')) } as unknown as Database;

describe.each(PHASES)('in phase %s', (phase) => {
  let one: Instance;
  /** Knows what Redis knows. */
  let alone: ReturnType<typeof createCsrf>;
  beforeEach(() => {
    one = instance({ ...servers, phase });
    alone = createCsrf({ redis: one.state, database });
  });

  it('accepts the token of a session from Redis, where this phase stores it as a hash', async () => {
    await one.csrf.remember(begun.session, begun.csrfToken);
    expect(await alone.verify(begun.session, begun.csrfToken)).toBe('accepted');
    const keys = (await send('KEYS', '*csrf:*')) as string[];
    expect(keys.sort()).toEqual(HOMES[phase].map((prefix) => prefix + csrfKey(begun.session.hash)).sort());
    for (const key of keys) expect(await send('GET', key)).toBe(hashOf(begun.csrfToken));
  });

  it('accepts it from the database where Redis has lost it, and stores it again', async () => {
    expect(await one.csrf.verify(begun.session, begun.csrfToken)).toBe('accepted');
    expect(await alone.verify(begun.session, begun.csrfToken)).toBe('accepted');
  });

  it.each([
    ['none', () => ''],
    ['another', newSecret],
    ['its hash', () => hashOf(begun.csrfToken)],
    ['a longer one', () => `${begun.csrfToken}a`],
    ['no text of ours', () => '\u0000'.repeat(43)],
  ])('refuses %s, whether Redis knows the token or not', async (_name, token) => {
    expect(await one.csrf.verify(begun.session, token())).toBe('refused');
    await one.csrf.remember(begun.session, begun.csrfToken);
    expect(await one.csrf.verify(begun.session, token())).toBe('refused');
  });

  it('refuses the token of another session, and of one that has ended', async () => {
    const other = await one.sessions.begin({ userId: 'eve', role: 'student' });
    expect(await one.csrf.verify(begun.session, other.csrfToken)).toBe('refused');
    await one.sessions.revoke(other.session.hash);
    expect(await one.csrf.verify(other.session, other.csrfToken)).toBe('refused');
  });

  it('is answered by the database while Redis is away, and by nobody where both are', async () => {
    const { csrf, state } = instance({ ...servers, phase, send: () => Promise.reject(new Error('away')) });
    expect(await csrf.verify(begun.session, begun.csrfToken)).toBe('accepted');
    expect(await csrf.verify(begun.session, newSecret())).toBe('refused');
    expect(await createCsrf({ redis: state, database }).verify(begun.session, begun.csrfToken)).toBe(
      'unavailable',
    );
  });

  it('does not believe what is foreign, and counts it', async () => {
    const [prefix = ''] = HOMES[phase];
    await send('SET', prefix + csrfKey(begun.session.hash), begun.csrfToken.slice(1));
    expect(await one.csrf.verify(begun.session, begun.csrfToken)).toBe('accepted');
    await send('UNLINK', prefix + csrfKey(begun.session.hash));
    await send('SADD', prefix + csrfKey(begun.session.hash), hashOf(begun.csrfToken));
    expect(await instance({ ...servers, phase }).csrf.verify(begun.session, begun.csrfToken)).toBe(
      'accepted',
    );
    expect(one.state.counts.foreign).toBe(1);
  });
});

test.each(EDGES)('a token that %s has stored is accepted by %s', async (here, there) => {
  await instance({ ...servers, phase: here }).csrf.remember(begun.session, begun.csrfToken);
  expect(await instance({ ...servers, phase: there }).csrf.verify(begun.session, begun.csrfToken)).toBe(
    'accepted',
  );
});

test('dual accepts what either namespace has, without the database', async () => {
  const { state } = instance({ ...servers, phase: 'dual' });
  for (const prefix of ['', NAMESPACE]) {
    await send('FLUSHALL');
    await send('SET', prefix + csrfKey(begun.session.hash), hashOf(begun.csrfToken));
    expect(await createCsrf({ redis: state, database }).verify(begun.session, begun.csrfToken)).toBe(
      'accepted',
    );
  }
});
