/** A backfill while others write: nothing comes back, nothing is lost, nothing is counted twice. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { tombstoneOf } from '../../../lambda/cache/state-marks.ts';
import type { Phase } from '../../../lambda/contract/environment.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { createAnalytics } from '../../../lambda/stores/analytics.ts';
import { backfill } from '../../../lambda/stores/backfill/backfill.ts';
import { carry } from '../../../lambda/stores/backfill/carry.ts';
import { type BackfillTarget, type Joining, planBackfill } from '../../../lambda/stores/backfill/plan.ts';
import { createRateLimit } from '../../../lambda/stores/rate-limits.ts';
import { createSessions } from '../../../lambda/stores/sessions.ts';
import { lookInto } from '../../support/redis.ts';
import { instance, type StateServers, stateServers } from '../../support/state.ts';
import { stateIn } from '../../support/state-redis.ts';

const CLIENTS = 200;
const CW = 'cw:test:';

let servers: StateServers;
let redis: RedisConnection;
let url: string;
/** Answers buffers, as the connection of a pass does. */
let binary: Send;
beforeAll(async () => {
  servers = await stateServers();
  ({ redis } = servers);
  url = redis.urlOf([]);
  binary = (await lookInto(url, { binary: true })).send;
});
beforeEach(async () => void (await redis.send(['FLUSHALL'])));

const clients = <T>(work: (client: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)));
const carryAll = (to: BackfillTarget) =>
  backfill({ target: { url }, plan: planBackfill({ to, phase: 'dual', env: 'test' }) });

describe('what is removed between the reading of a key and its storing does not come back', () => {
  /** Carries as in a cluster, where reading and storing are two commands; `meanwhile` happens in between. */
  const carryWhile = (joining: Joining, key: string, meanwhile: () => Promise<unknown>) => {
    let first = true;
    const to: Send = async (command) => {
      if (first) await meanwhile();
      first = false;
      return binary(command);
    };
    const move = { key: Buffer.from(key), home: Buffer.from(CW + key) };
    return carry({ from: binary, to, clustered: true, dryRun: false }, joining, move);
  };

  test('a key', async () => {
    await redis.send(['SET', 'csrf:1', 'token']);
    const outcome = await carryWhile('absent', 'csrf:1', () =>
      redis.send(['UNLINK', `${CW}csrf:1`, 'csrf:1']),
    );
    expect(outcome).toBe('gone');
    expect(await redis.send(['EXISTS', `${CW}csrf:1`])).toBe(0);
  });

  test('a member of a set; what is added meanwhile stays', async () => {
    await redis.send(['SADD', 'teacher_sessions:1', 'a', 'b']);
    const outcome = await carryWhile('union', 'teacher_sessions:1', async () => {
      await redis.send(['SADD', `${CW}teacher_sessions:1`, 'c']);
      for (const prefix of [CW, '']) await redis.send(['SREM', `${prefix}teacher_sessions:1`, 'a']);
    });
    expect(outcome).toBe('carried');
    const members = (await redis.send(['SMEMBERS', `${CW}teacher_sessions:1`])) as string[];
    expect(members.sort()).toEqual(['b', 'c']);
  });

  test('a set that loses all of its members', async () => {
    await redis.send(['SADD', 'teacher_sessions:1', 'a']);
    await carryWhile('union', 'teacher_sessions:1', () => redis.send(['UNLINK', 'teacher_sessions:1']));
    expect(await redis.send(['EXISTS', `${CW}teacher_sessions:1`])).toBe(0);
  });

  test('a session', async () => {
    await redis.send(['SET', 'secure_session:1', JSON.stringify({ version: 9 })]);
    const outcome = await carryWhile('newest', 'secure_session:1', async () => {
      for (const prefix of [CW, '']) await redis.send(['SET', `${prefix}secure_session:1`, tombstoneOf(10)]);
    });
    expect(outcome).toBe('kept');
    expect(await redis.send(['GET', `${CW}secure_session:1`])).toBe(tombstoneOf(10));
  });

  test('without the second look it would', async () => {
    await redis.send(['SADD', 'teacher_sessions:1', 'a', 'b']);
    const seen: unknown[] = [];
    let looks = 0;
    const from: Send = async (command) => {
      if (command[0] === 'SMEMBERS' && ++looks === 2) {
        seen.push(await redis.send(['SISMEMBER', `${CW}teacher_sessions:1`, 'a']));
      }
      const reply = await binary(command);
      if (command[0] === 'SMEMBERS' && looks === 1) await redis.send(['SREM', 'teacher_sessions:1', 'a']);
      return reply;
    };
    const move = { key: Buffer.from('teacher_sessions:1'), home: Buffer.from(`${CW}teacher_sessions:1`) };
    await carry({ from, to: binary, clustered: true, dryRun: false }, 'union', move);
    expect(seen).toEqual([1]);
    expect(await redis.send(['SMEMBERS', `${CW}teacher_sessions:1`])).toEqual(['b']);
  });
});

test(`${CLIENTS} sessions that end while they are carried stay ended, and the others go on`, async () => {
  const legacy = instance({ ...servers, phase: 'legacy' });
  const begun = await clients(() => legacy.sessions.begin({ userId: 'ada', role: 'student' }));
  const dual = instance({ ...servers, phase: 'dual' });
  await Promise.all([
    carryAll('prefixed'),
    clients(async (client) => {
      const { hash = '' } = begun[client]?.session ?? {};
      if (client % 2 === 0) await dual.sessions.revoke(hash);
    }),
  ]);
  await carryAll('prefixed');
  // Only Redis answers: what it does not know is unavailable.
  const database = { query: () => Promise.reject(new Error('away')) } as unknown as Database;
  const alone = createSessions({ redis: instance({ ...servers, phase: 'prefixed' }).state, database });
  const kinds = await clients(async (client) => (await alone.resolve(begun[client]?.id ?? '')).kind);
  expect(kinds).toEqual(Array.from({ length: CLIENTS }, (_, client) => (client % 2 === 0 ? 'none' : 'live')));
});

/** The way there and back: who runs, and the backfill that is made meanwhile. */
const WALK: readonly {
  readonly phases: readonly Phase[];
  readonly to?: BackfillTarget;
  readonly cleanUp?: string;
}[] = [
  { phases: ['legacy'] },
  { phases: ['legacy', 'dual'] },
  { phases: ['dual'], to: 'prefixed' },
  { phases: ['dual', 'prefixed'] },
  { phases: ['prefixed'], cleanUp: 'analytics:*' },
  { phases: ['prefixed', 'dual'] },
  { phases: ['dual'], to: 'legacy' },
  { phases: ['dual', 'legacy'] },
  { phases: ['legacy'], cleanUp: `${CW}analytics:*` },
];

describe('the way there and back, with 200 clients at each step', () => {
  const ROOMS = 20;
  const storeIn = (phase: Phase) =>
    createAnalytics({ redis: stateIn({ send: redis.send, phase }), types: ['joined'] });
  const totalIn = async (phase: Phase) => {
    const store = storeIn(phase);
    let total = 0;
    for (let room = 0; room < ROOMS; room += 1) {
      const read = await store.read(`room-${room}`);
      total += read.kind === 'known' ? (read.analytics.counts['joined'] ?? 0) : Number.NaN;
    }
    return total;
  };
  /** @returns how many events each step's phases know of, and how many there were. */
  const walk = async (fill: (to: BackfillTarget) => Promise<unknown>) => {
    const told: number[] = [];
    const happened: number[] = [];
    let events = 0;
    for (const { phases, to, cleanUp } of WALK) {
      const stores = phases.map(storeIn);
      const traffic = () =>
        clients((client) => {
          const store = stores[Math.floor(client / ROOMS) % stores.length];
          return store?.record(`room-${client % ROOMS}`, { type: 'joined' }) ?? Promise.resolve('dropped');
        });
      await Promise.all([traffic(), to && fill(to)]);
      // Once more, in rooms that both homes know by now.
      await traffic();
      events += 2 * CLIENTS;
      if (to) await fill(to);
      // Not dual, whose reads would mend what they find wanting: nobody may ask for a room then.
      for (const phase of phases.filter((each) => each !== 'dual')) {
        told.push(await totalIn(phase));
        happened.push(events);
      }
      if (cleanUp) {
        const keys = (await redis.send(['KEYS', cleanUp])) as string[];
        await redis.send(['UNLINK', ...keys]);
      }
    }
    return { told, happened };
  };

  test('analytics count each event once, in every phase', async () => {
    const { told, happened } = await walk(carryAll);
    expect(told).toEqual(happened);
  });

  test('with copies where nothing is yet, as of any other key, events are lost', async () => {
    const naive = async (to: BackfillTarget) => {
      const prefix = to === 'prefixed' ? '' : CW;
      const keys = (await redis.send(['KEYS', `${prefix}analytics:*`])) as string[];
      const homeOf = (key: string) => (to === 'prefixed' ? CW + key : key.slice(CW.length));
      await Promise.all(keys.map((key) => redis.send(['COPY', key, homeOf(key)])));
    };
    const { told, happened } = await walk(naive);
    expect(told).not.toEqual(happened);
  });

  test('a quota is one quota all the way', async () => {
    const POINTS = 5 * CLIENTS;
    let allowed = 0;
    // The switch of the limits is flipped at every other step, and a backfill runs between.
    for (const [step, { to }] of WALK.entries()) {
      const options = { name: 'join', points: POINTS, windowSeconds: 3600, whenAway: 'deny' } as const;
      const sides = [false, true].map((limitsPrefixed) =>
        createRateLimit(stateIn({ send: redis.send, limitsPrefixed }), options),
      );
      const [consumed] = await Promise.all([
        clients(async (client) => sides[(step + (client % 3 === 0 ? 1 : 0)) % 2]?.consume('class')),
        to && carryAll(to),
      ]);
      allowed += consumed.filter((each) => each?.allowed).length;
      expect(allowed).toBe(Math.min(POINTS, (step + 1) * CLIENTS));
    }
  });
});
