import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Phase } from '../../lambda/cache/phase.ts';
import type { Send } from '../../lambda/cache/redis-store.ts';
import { hashOf, sessionKey } from '../../lambda/stores/session-record.ts';
import { seededRandom } from '../../rehearsal/random.ts';
import { afterReads } from '../support/held-database.ts';
import {
  EDGES,
  type Instance,
  instance,
  NAMESPACE,
  type StateServers,
  stateServers,
} from '../support/state.ts';

/**
 * Users of two instances in phases that run at once, before, during and after the flip from one to the other, while Redis loses
 * entries: nobody is logged out who has not asked for it, and nobody comes back.
 */
const CLIENTS = 200;
const READS = 6;

let servers: StateServers;
beforeAll(async () => {
  servers = await stateServers();
});
beforeEach(async () => {
  await servers.redis.send(['FLUSHALL']);
  await servers.database.query('TRUNCATE secure_sessions, cutover_outbox');
});

interface Tally {
  reads: number;
  lost: number;
  resurrected: number;
  /** Reads that answered with older data than an acknowledged update stored. */
  outdated: number;
  refusedTokens: number;
  pending: number;
}

/** The traffic of a flip: at first all goes to the one instance, then to both, and at last to the other one. */
async function flip(one: Instance, other: Instance): Promise<Tally> {
  const tally: Tally = { reads: 0, lost: 0, resurrected: 0, outdated: 0, refusedTokens: 0, pending: 0 };
  const random = seededRandom(1);
  let steps = 0;
  const total = CLIENTS * (READS + 3);
  const next = () => {
    steps += 1;
    const share = Math.min(1, Math.max(0, (2 * steps) / total - 0.5));
    return random() < share ? other : one;
  };
  const evict = async (id: string) => {
    if (random() > 0.3) return;
    const place = (random() < 0.5 ? NAMESPACE : '') + sessionKey(hashOf(id));
    const held = String(await servers.redis.send(['GET', place]));
    // An entry can go at any moment. What is lost of a tombstone the database knows, too.
    if (random() < 0.5 || !held.includes('revoked')) await servers.redis.send(['UNLINK', place]);
  };

  const client = async (index: number) => {
    const begun = await next().sessions.begin({ userId: `user-${index}`, role: 'student' });
    const { id, csrfToken, session } = begun;
    if (random() < 0.5) await next().csrf.remember(session, csrfToken);
    let lesson = '';
    for (let read = 0; read < READS; read += 1) {
      await evict(id);
      const at = next();
      if (read === 2) {
        const racing = [one, other].map((each) => each.sessions.resolve(id));
        const updated = await at.sessions.update(session.hash, { lesson: `${index}` });
        await Promise.all(racing);
        if (updated?.invalidation === 'done') lesson = `${index}`;
      }
      const found = await next().sessions.resolve(id);
      tally.reads += 1;
      if (found.kind !== 'live') tally.lost += 1;
      else if ((found.session.data['lesson'] ?? '') !== lesson) tally.outdated += 1;
      if ((await next().csrf.verify(session, csrfToken)) !== 'accepted') tally.refusedTokens += 1;
      await turn();
    }
    // Slow requests, begun before the end, are still on their way when it is acknowledged.
    for (const prefix of ['', NAMESPACE])
      await servers.redis.send(['UNLINK', prefix + sessionKey(session.hash)]);
    const slow = [one, other].map((at) => at.sessions.resolve(id));
    const ended = await next().sessions.revoke(session.hash);
    if (ended?.invalidation !== 'done') tally.pending += 1;
    await Promise.all(slow);
    for (const at of [one, other, one, other]) {
      if ((await at.sessions.resolve(id)).kind !== 'none') tally.resurrected += 1;
      await evict(id);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  return tally;
}

const right = {
  reads: CLIENTS * READS,
  ...{ lost: 0, resurrected: 0, outdated: 0, refusedTokens: 0, pending: 0 },
};

/** What a request has read of the database arrives late, as from one that is busy. */
const slowly = (phase: Phase, send?: Send) =>
  instance({
    ...servers,
    database: afterReads(servers.database, async () => void (await sleep(Math.random() * 20))),
    phase,
    ...(send && { send }),
  });

describe.each(EDGES)('from %s to %s', (here, there) => {
  test(`${CLIENTS} clients: no session is lost, outdated, or back after its end`, async () => {
    const [one, other] = [slowly(here), slowly(there)];
    expect(await flip(one, other)).toEqual(right);
    expect([...one.troubles, ...other.troubles]).toEqual([]);
  });
});

describe('found by the same traffic', () => {
  const wrong = async (change: (command: readonly (string | Buffer)[]) => readonly (string | Buffer)[]) => {
    const send: Send = (command) => servers.redis.send(change(command));
    return flip(slowly('dual', send), slowly('prefixed', send));
  };
  const isTombstone = (command: readonly (string | Buffer)[]) =>
    command[0] === 'SET' && String(command[2]).includes('"revoked":true');

  test('a store without tombstones', async () => {
    const { resurrected } = await wrong((command) =>
      isTombstone(command) ? ['UNLINK', command[1] ?? ''] : command,
    );
    expect(resurrected).toBeGreaterThan(0);
  });

  test.each([
    ['with the prefix', true],
    ['without one', false],
  ])('a store that does not say the end in the home %s', async (_name, hasPrefix) => {
    const { resurrected } = await wrong((command) =>
      isTombstone(command) && String(command[1]).startsWith(NAMESPACE) === hasPrefix ? ['PING'] : command,
    );
    expect(resurrected).toBeGreaterThan(0);
  });

  test('a store without versions', async () => {
    const { outdated } = await wrong((command) =>
      command[0] === 'EVAL' && String(command[1]).includes('seen.version')
        ? ['SET', command[3] ?? '', command[5] ?? '', 'PX', command[6] ?? '']
        : command,
    );
    expect(outdated).toBeGreaterThan(0);
  });
});
