import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CLAIM } from '../../../lambda/cache/claim.ts';
import { BARRIER, tombstoneOf } from '../../../lambda/cache/state-marks.ts';
import { accessStringsOf } from '../../../lambda/contract/access.ts';
import type { Target } from '../../../lambda/flush/pass/servers.ts';
import type { Command, RedisConnection } from '../../../lambda/redis/connection.ts';
import { type BackfillOptions, backfill, requireCarried } from '../../../lambda/stores/backfill/backfill.ts';
import { type BackfillTarget, planBackfill } from '../../../lambda/stores/backfill/plan.ts';
import { type Contents, contentsOf } from '../../support/contents.ts';
import { cuttingRedis } from '../../support/cutting-redis.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedisCluster } from '../../support/redis-kinds.ts';
import { ownRedis } from '../../support/servers.ts';

const CW = 'cw:test:';
const PASSWORD = 's3cret/of+it';
const RULES = [`>${PASSWORD}`, ...accessStringsOf({ phase: 'dual', env: 'test' }).backfill.split(' ')];
const AS_BACKFILL = `//backfill:${encodeURIComponent(PASSWORD)}@`;

const KINDS: Record<string, () => Promise<{ target: Target; admin: RedisConnection }>> = {
  'one server': async () => {
    const { url } = await ownRedis({ users: { backfill: RULES } });
    return { target: { url: url.replace('//', AS_BACKFILL) }, admin: await lookInto(url, { binary: true }) };
  },
  'a cluster of 3': async () => {
    const users = { backfill: [...RULES, '+cluster|slots', '+cluster|nodes'] };
    const { url } = await ownRedisCluster({ primaries: 3, users });
    const admin = await lookInto(url, { cluster: true, binary: true });
    return { target: { url: url.replace('//', AS_BACKFILL), cluster: true }, admin };
  },
};

const planTo = (to: BackfillTarget) => planBackfill({ to, phase: 'dual', env: 'test' });
const entry = (version: number, more = '') => JSON.stringify({ userId: 'ada', data: { more }, version });

/** Keys of state, of every type, by the logical key. */
const STATE: readonly Command[] = [
  ...Array.from({ length: 300 }, (_, index): Command => ['SET', `secure_session:${index}`, entry(index + 1)]),
  ...Array.from({ length: 300 }, (_, index): Command => ['SET', `csrf:${index}`, `token ${index}`]),
  ['SET', 'sessions:a b:{c}', 'text'],
  ['HSET', 'user-profiles:1', 'name', 'ada'],
  ['RPUSH', 'session:1:access_code', 'a', 'b'],
  ['ZADD', 'ratelimit:1', '1', 'a'],
  [
    'SET',
    Buffer.concat([Buffer.from('access_code:'), Buffer.from([0, 10, 255, 128])]),
    Buffer.from([0, 255]),
  ],
  ['SADD', 'teacher_sessions:1', ...Array.from({ length: 1500 }, (_, index) => `s${index}`)],
  ['HSET', 'analytics:session:1', 'count:legacy:joined', '3', 'event:000000000000001:a', '{}'],
];
/** Those of other kinds, which stay. */
const OTHERS: readonly string[] = [
  ...[
    'mocs:user:1:list',
    `${CW}mocs:user:1:list`,
    'v2:csrf:9',
    'cw:other:csrf:9',
    'csrf',
    'csrfX:1',
    'orders:1',
  ],
  ...['rl:login:{1}', `${CW}rl:login:{2}`, 'cutover:lease:{csrf:1}:csrf:1'],
];

describe.each(Object.entries(KINDS))('on %s', (_kind, open) => {
  let target: Target;
  let admin: RedisConnection;
  const run = (to: BackfillTarget, more: Partial<BackfillOptions> = {}) =>
    backfill({ target, plan: planTo(to), ...more });
  const send = (...command: (string | Buffer)[]) => admin.send(command);
  const text = async (key: string) => {
    const value = (await send('GET', key)) as Buffer | null;
    return value && String(value);
  };

  beforeAll(async () => {
    ({ target, admin } = await open());
  });
  beforeEach(() => Promise.all(admin.primaries().map((primary) => primary.send(['FLUSHALL']))));

  const populate = async (prefix: string) => {
    const keyOf = (key: string | Buffer | undefined) =>
      Buffer.concat([Buffer.from(prefix), Buffer.from(key ?? '')]);
    await Promise.all(STATE.map(([name = '', key, ...args]) => admin.send([name, keyOf(key), ...args])));
    await Promise.all(
      STATE.map(([, key], index) =>
        index % 2 === 0 ? send('PEXPIRE', keyOf(key), String(3_600_000 + index)) : undefined,
      ),
    );
    await Promise.all(OTHERS.map((key) => send('SET', key, `value of ${key}`)));
  };
  const carriedFrom = (before: Contents, to: BackfillTarget): Contents => {
    const isState = (key: string) => !OTHERS.includes(key);
    const moved = Object.entries(before)
      .filter(([key]) => isState(key))
      .map(([key, value]) => [to === 'prefixed' ? CW + key : key.slice(CW.length), value] as const);
    return { ...before, ...Object.fromEntries(moved) };
  };
  /** What all keys hold: of a set, or of a hash that is written field by field, DUMP tells the order, too, which changes by itself. */
  const contents = async () => {
    const all = Object.entries(await contentsOf(admin)).map(async ([key, { value, endsAtMs }]) => {
      const [name] = /(?:teacher_sessions|analytics):/.exec(key) ?? [];
      if (name === undefined) return [key, { value, endsAtMs }] as const;
      const listed = await send(name === 'analytics:' ? 'HGETALL' : 'SMEMBERS', key).catch(() => value);
      return [
        key,
        {
          value: JSON.stringify(
            Object.values(listed as object)
              .map(String)
              .sort(),
          ),
          endsAtMs,
        },
      ] as const;
    });
    return Object.fromEntries(await Promise.all(all)) as Contents;
  };

  test.each<[BackfillTarget, string]>([
    ['prefixed', ''],
    ['legacy', CW],
  ])('--to %s carries all state with the time when it ends, and nothing else', async (to, prefix) => {
    await populate(prefix);
    const before = await contents();

    const dry = await run(to, { dryRun: true });
    expect(await contents()).toEqual(before);

    const report = await run(to);
    const after = await contents();
    expect(after).toEqual(carriedFrom(before, to));
    expect(report).toMatchObject({ carried: STATE.length, keys: Object.keys(before).length, complete: true });
    expect(report.families.find(({ name }) => name === 'csrf')).toEqual({
      ...{ name: 'csrf', carried: 300, kept: 0, foreign: 0, gone: 0 },
    });
    expect(dry.families).toEqual(report.families);
    const other = to === 'prefixed' ? CW : '';
    expect(await send('SCARD', `${other}teacher_sessions:1`)).toBe(1500);

    const again = await run(to);
    expect(await contents()).toEqual(after);
    expect(again).toMatchObject({ carried: 0, complete: true });
    expect(again.families.find(({ name }) => name === 'csrf')).toMatchObject({ kept: 300 });

    const back = await run(to === 'prefixed' ? 'legacy' : 'prefixed');
    expect(await contents()).toEqual(after);
    expect(back.carried).toBe(0);
  });

  test('what is there already stays', async () => {
    await send('SET', 'csrf:1', 'old');
    await send('SET', `${CW}csrf:1`, 'new', 'PX', '60000');
    const before = await contents();
    expect(await run('prefixed')).toMatchObject({ carried: 0 });
    expect(await contents()).toEqual(before);
  });

  test.each<[what: string, from: string, there: string | null, then: string]>([
    ['none there', entry(1), null, entry(1)],
    ['an older one', entry(2), entry(1), entry(2)],
    ['one as new', entry(2, 'from'), entry(2, 'there'), entry(2, 'there')],
    ['a newer one', entry(2), entry(3), entry(3)],
    ['one of two digits', entry(9), entry(10), entry(10)],
    ['one that has ended', entry(9), tombstoneOf(3), tombstoneOf(3)],
    ['one that the database decides', entry(9), BARRIER, BARRIER],
    ['an end, and one that lives', tombstoneOf(3), entry(9), tombstoneOf(3)],
    ['an end, and none', tombstoneOf(3), null, tombstoneOf(3)],
    ['an end, and one that the database decides', tombstoneOf(3), BARRIER, tombstoneOf(3)],
    ['two ends', tombstoneOf(9), tombstoneOf(3), tombstoneOf(3)],
  ])('of sessions the newer version wins, and an end stays: %s', async (_what, from, there, then) => {
    await send('SET', 'secure_session:1', from, 'PX', '60000');
    if (there) await send('SET', `${CW}secure_session:1`, there, 'PX', '30000');
    const dry = await run('prefixed', { dryRun: true });
    expect(await text(`${CW}secure_session:1`)).toBe(there);
    const report = await run('prefixed');
    expect(await text(`${CW}secure_session:1`)).toBe(then);
    expect(await text('secure_session:1')).toBe(from);
    expect([report.carried, dry.carried]).toEqual(there === then ? [0, 0] : [1, 1]);
  });

  test('a copy that replaces would bring back what has ended', async () => {
    await send('SET', 'secure_session:{1}', entry(9));
    await send('SET', `${CW}secure_session:{1}`, tombstoneOf(10));
    await send('COPY', 'secure_session:{1}', `${CW}secure_session:{1}`, 'REPLACE');
    expect(await text(`${CW}secure_session:{1}`)).toBe(entry(9));
  });

  test('a barrier is not carried: it stands in both homes already, where it has to', async () => {
    await send('SET', 'secure_session:1', BARRIER, 'PX', '60000');
    expect(await run('prefixed')).toMatchObject({ carried: 0 });
    expect(await send('EXISTS', `${CW}secure_session:1`)).toBe(0);
  });

  test('sets are united, and live as long as the longer one', async () => {
    await send('SADD', 'teacher_sessions:1', 'a', 'b');
    await send('PEXPIRE', 'teacher_sessions:1', '60000');
    await send('SADD', `${CW}teacher_sessions:1`, 'b', 'c');
    await send('PEXPIRE', `${CW}teacher_sessions:1`, '30000');
    expect(await run('prefixed')).toMatchObject({ carried: 1 });
    const members = (await send('SMEMBERS', `${CW}teacher_sessions:1`)) as Buffer[];
    expect(members.map(String).sort()).toEqual(['a', 'b', 'c']);
    expect(await send('PEXPIRETIME', `${CW}teacher_sessions:1`)).toBe(
      await send('PEXPIRETIME', 'teacher_sessions:1'),
    );
    expect(await send('SCARD', 'teacher_sessions:1')).toBe(2);
  });

  test.each([
    ['ends earlier', 30_000, 60_000],
    ['ends later', 90_000, 90_000],
  ])(
    'analytics are joined, and live as long as the longer one: the other %s',
    async (_when, thereMs, thenMs) => {
      const [key, there] = ['analytics:session:1', `${CW}analytics:session:1`];
      await send('HSET', key, 'count:legacy:joined', '3', 'count:prefixed:joined', '1', 'event:1', '{}');
      await send('HSET', there, 'count:legacy:joined', '2', 'count:prefixed:joined', '4', 'event:2', '{}');
      const now = Date.now();
      await send('PEXPIREAT', key, String(now + 60_000));
      await send('PEXPIREAT', there, String(now + thereMs));
      expect(await run('prefixed')).toMatchObject({ carried: 1 });
      const fields = Object.entries((await send('HGETALL', there)) as object)
        .flat()
        .map(String);
      expect(fields).toHaveLength(8);
      expect(fields).toEqual(expect.arrayContaining(['3', '4', 'event:1', 'event:2']));
      expect(await send('PEXPIRETIME', there)).toBe(now + thenMs);
      expect(await run('prefixed')).toMatchObject({ carried: 0 });
      await send('PERSIST', key);
      await run('prefixed');
      expect(await send('PEXPIRETIME', there)).toBe(now + thenMs);
    },
  );

  test.each<[what: string, there: Command, from: Command]>([
    ['a list there', ['RPUSH', `${CW}secure_session:1`, 'x'], ['SET', 'secure_session:1', entry(1)]],
    ['a text there', ['SET', `${CW}secure_session:1`, 'x'], ['SET', 'secure_session:1', entry(1)]],
    ['a list', ['SET', `${CW}secure_session:1`, entry(1)], ['RPUSH', 'secure_session:1', 'x']],
    ['a text', ['SET', `${CW}secure_session:1`, entry(1)], ['SET', 'secure_session:1', '[]']],
    ['no set there', ['SET', `${CW}teacher_sessions:1`, 'x'], ['SADD', 'teacher_sessions:1', 'a']],
    ['no set', ['SADD', `${CW}teacher_sessions:1`, 'a'], ['SET', 'teacher_sessions:1', 'x']],
    ['a text of analytics', ['PING'], ['SET', 'analytics:session:1', 'x']],
    ['fields of others', ['PING'], ['HSET', 'analytics:session:1', 'joined', '1']],
  ])('what is not ours is left alone, and told: %s', async (_what, there, from) => {
    await admin.send(there);
    await admin.send(from);
    await send('SET', 'csrf:1', 'token');
    const before = await contents();
    const report = await run('prefixed');
    const { [`${CW}csrf:1`]: carried, ...after } = await contents();
    expect(after).toEqual(before);
    expect(carried).toBeDefined();
    expect(report.families.reduce((sum, { foreign }) => sum + foreign, 0)).toBe(1);
  });

  test('it stops at its limit, and says so', async () => {
    await populate('');
    const report = await run('prefixed', { limitSeconds: 0 });
    expect(report.complete).toBe(false);
    expect(() => requireCarried(report, { dryRun: false })).toThrow('backfill: stopped at its limit');
    expect(await run('prefixed')).toMatchObject({ complete: true });
    expect(await send('EXISTS', `${CW}csrf:299`)).toBe(1);
  });

  test('under another NODE_ENV it refuses', async () => {
    await send('SET', CLAIM, 'production');
    await send('SET', 'csrf:1', 'token');
    await expect(run('prefixed')).rejects.toThrow(
      'backfill: NODE_ENV=test, but this Redis is in use under production',
    );
    expect(await send('EXISTS', `${CW}csrf:1`)).toBe(0);
  });
});

describe('where the connection is lost', () => {
  test('it begins again, and carries all', async () => {
    const server = await ownRedis();
    const admin = await lookInto(server.url);
    await Promise.all(
      Array.from({ length: 2000 }, (_, index) => admin.send(['SET', `csrf:${index}`, 'token'])),
    );
    const cutting = await cuttingRedis({ to: server, afterBytes: [30_000, 40_000] });
    const whys: Error[] = [];
    const report = await backfill({
      ...{ target: { url: cutting.url }, plan: planTo('prefixed') },
      onRestart: (why) => whys.push(why),
    });
    expect([cutting.cuts, whys.length, report.restarts, report.complete]).toEqual([2, 2, 2, true]);
    expect(await admin.send(['DBSIZE'])).toBe(4000);
    const csrf = report.families.find(({ name }) => name === 'csrf');
    expect((csrf?.carried ?? 0) + (csrf?.kept ?? 0)).toBe(2000);
    expect(csrf?.kept).toBeGreaterThan(0);
  });

  test('it fails where nobody answers, with the remedy', async () => {
    const { url, kill } = await ownRedis();
    await kill('SIGKILL');
    await expect(backfill({ target: { url }, plan: planTo('prefixed') })).rejects.toMatchObject({
      name: 'RedisUnavailableError',
    });
  });

  test('it names the rights that a user lacks', async () => {
    const { url } = await ownRedis({
      users: { reader: ['on', '>x', '~*', '-@all', '+scan', '+info', '+get'] },
    });
    await (await lookInto(url)).send(['SET', 'csrf:1', 'token']);
    const target = { url: url.replace('//', '//reader:x@') };
    await expect(backfill({ target, plan: planTo('prefixed') })).rejects.toThrow(
      'the commands of the user backfill in lambda/contract/access.ts',
    );
  });
});

describe('the plan', () => {
  test.each(['legacy', 'isolated', 'prefixed'] as const)('is refused in the phase %s', (phase) => {
    expect(() => planBackfill({ to: 'prefixed', phase, env: 'test' })).toThrow(
      `backfill: --to prefixed is refused in the phase ${phase}, in which not everybody writes both homes; deploy CW_CACHE_PREFIX_ENABLED=1 CW_CACHE_DUAL_WRITE=1 to every process first`,
    );
  });

  test('leaves what counts in both homes, and what has a phase of its own', () => {
    const families = [
      {
        name: 'rl',
        kind: 'state',
        onFlush: 'preserve',
        phase: 'prefixed',
        phaseSwitch: 'CW_RL_PREFIX_ENABLED',
      },
      { name: 'carts', kind: 'state', onFlush: 'preserve', phase: 'legacy' },
      { name: 'csrf', kind: 'state', onFlush: 'preserve' },
      { name: 'mocs', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 },
    ] as const;
    const plan = planBackfill({ to: 'legacy', phase: 'dual', env: 'test', families });
    expect(plan.families).toEqual([{ name: 'csrf', joining: 'absent' }]);
    expect(plan.left.map(({ name }) => name)).toEqual(['rl', 'carts']);
  });

  test.each<[BackfillTarget, string, string | undefined]>([
    ['prefixed', 'csrf:1', 'cw:test:csrf:1'],
    ['prefixed', 'csrf:', 'cw:test:csrf:'],
    ['prefixed', 'cw:test:csrf:1', undefined],
    ['prefixed', 'csrf', undefined],
    ['prefixed', 'xcsrf:1', undefined],
    ['prefixed', 'v2:csrf:1', undefined],
    ['legacy', 'cw:test:csrf:1', 'csrf:1'],
    ['legacy', 'csrf:1', undefined],
    ['legacy', 'cw:tes:csrf:1', undefined],
    ['legacy', 'cw:test:mocs:1', undefined],
    ['legacy', 'cw:test:rl:login:{1}', undefined],
  ])('to %s carries %s to %s', (to, key, home) => {
    const plan = planTo(to);
    const bytes = Buffer.from(`--${key}--`);
    const isCarried = plan.classify(bytes, 2, 2 + Buffer.byteLength(key)) >= 0;
    expect(isCarried ? String(plan.destinationOf(Buffer.from(key))) : undefined).toBe(home);
  });
});
