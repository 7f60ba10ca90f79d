import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CLAIM } from '../../../lambda/cache/claim.ts';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { type FlushReport, flush } from '../../../lambda/flush/engine.ts';
import { planFlush } from '../../../lambda/flush/plan.ts';
import { flushAt } from '../../../lambda/flush/run.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const plan = planFlush({ env: 'test' });
const NAMESPACES = ['', 'v2:', 'cw:test:'];
const KEYS_EACH = 100;

let url: string;
let redis: RedisConnection;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
});

beforeEach(async () => void (await redis.send(['FLUSHALL'])));

const keysOf = (onFlush: string) =>
  FAMILIES.filter((family) => family.onFlush === onFlush).flatMap(({ name }) =>
    NAMESPACES.flatMap((namespace) =>
      Array.from({ length: KEYS_EACH }, (_, index) => `${namespace}${name}:user:${index}:list`),
    ),
  );

/** Keys of all sorts, over several pages of a SCAN, each with a value and half of them with a TTL. */
async function populate() {
  const due = keysOf('flush');
  const preserved = keysOf('preserve');
  const others = [
    'mocs',
    'mocsX:1',
    'cutover:env',
    'cutover:lease:{mocs:1}:mocs:1',
    'cw:other:mocs:1',
    'users:1',
  ];
  const all = [...due, ...preserved, ...others];
  await Promise.all(
    all.map((key, index) =>
      redis.send(['SET', key, `value of ${key}`, ...(index % 2 ? ['PX', String(3_600_000 + index)] : [])]),
    ),
  );
  return { due, preserved, others, all };
}

/** Everything that Redis holds: each key with its value, and the time when it ends. */
async function contents(): Promise<Record<string, unknown>> {
  const keys = ((await redis.send(['KEYS', '*'])) as string[]).sort();
  const read = async (key: string) => [
    key,
    await Promise.all([redis.send(['DUMP', key]), redis.send(['PEXPIRETIME', key])]),
  ];
  return Object.fromEntries(await Promise.all(keys.map(read)));
}

const without = (all: Record<string, unknown>, keys: readonly string[]) => {
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(all).filter(([key]) => !gone.has(key)));
};

test('deletes the due keys and no other; what is preserved keeps its value and its TTL', async () => {
  const { due, preserved, all } = await populate();
  const before = await contents();

  const report = await flush({ send: redis.send, plan });

  expect(await contents()).toEqual(without(before, due));
  expect(report).toEqual({
    scanned: all.length,
    flushed: due.length,
    preserved: preserved.length,
    seconds: expect.any(Number),
    samples: expect.any(Array),
  });
  expect(report.samples).toHaveLength(10);
  expect(due).toEqual(expect.arrayContaining([...report.samples]));
});

test('a second pass finds nothing to do', async () => {
  const { due, all } = await populate();
  await flush({ send: redis.send, plan });
  const after = await contents();
  expect(await flush({ send: redis.send, plan })).toMatchObject({
    scanned: all.length - due.length,
    flushed: 0,
    samples: [],
  });
  expect(await contents()).toEqual(after);
});

test('a dry run counts the same and changes nothing', async () => {
  const { due, preserved, all } = await populate();
  const before = await contents();
  const report = await flush({ send: redis.send, plan, dryRun: true });
  expect(report).toMatchObject({ scanned: all.length, flushed: due.length, preserved: preserved.length });
  expect(report.samples).toHaveLength(10);
  expect(await contents()).toEqual(before);
});

test('an empty Redis is flushed', async () => {
  expect(await flush({ send: redis.send, plan })).toMatchObject({
    scanned: 0,
    flushed: 0,
    preserved: 0,
    samples: [],
  });
});

test('the type of a key does not matter', async () => {
  await redis.send(['HSET', 'mocs:hash', 'a', '1']);
  await redis.send(['SADD', 'v2:gallery:set', 'a']);
  await redis.send(['RPUSH', 'cw:test:albums:list', 'a']);
  await redis.send(['SADD', 'sessions:set', 'a']);
  expect(await flush({ send: redis.send, plan })).toMatchObject({ flushed: 3, preserved: 1 });
  expect(Object.keys(await contents())).toEqual(['sessions:set']);
});

test('a key whose bytes are no text goes or stays like any other', async () => {
  const bytes = (key: string) => Buffer.from(key, 'latin1');
  const due = [bytes('mocs:user:\xff\xfe:list'), bytes('v2:albums:\x80'), bytes('mocs:\u00fc')];
  const kept = [bytes('sessions:\xff'), bytes('\xffmocs:1')];
  // What the first one looks like as text is another key.
  const asText = due.map((key) => key.toString());
  for (const key of [...due, ...kept, ...asText]) await redis.send(['SET', key, 'value']);
  expect(await flushAt(url, { plan })).toMatchObject({ scanned: 8, flushed: 6, preserved: 1 });
  expect(await redis.send(['EXISTS', ...due, ...asText])).toBe(0);
  expect(await redis.send(['EXISTS', ...kept])).toBe(2);
});

test('tells its progress page by page, ending with the report', async () => {
  await populate();
  const told: FlushReport[] = [];
  const report = await flush({ send: redis.send, plan, onProgress: (each) => told.push({ ...each }) });
  expect(told.length).toBeGreaterThanOrEqual(3);
  for (const figure of ['scanned', 'flushed', 'preserved', 'seconds'] as const) {
    const figures = told.map((each) => each[figure]);
    expect(figures).toEqual([...figures].sort((a, b) => a - b));
    expect(figures.at(-1)).toBeGreaterThanOrEqual(report[figure] - 0.1);
  }
});

test('stops at its limit, says how far it came, and goes on when it is run again', async () => {
  const { due } = await populate();
  const before = await contents();
  await expect(flush({ send: redis.send, plan, limitSeconds: 0 })).rejects.toMatchObject({
    name: 'FlushLimitError',
    code: 'CUTOVER_FLUSH_LIMIT',
    message: expect.stringMatching(
      /^flush: stopped at the limit of 0 s after [1-9]\d* keys of [1-9]\d*; run it again/,
    ),
  });
  const left = Object.keys(await contents()).length;
  expect(left).toBeLessThan(Object.keys(before).length);
  expect(left).toBeGreaterThan(Object.keys(before).length - due.length);
  await flush({ send: redis.send, plan });
  expect(await contents()).toEqual(without(before, due));
});

test('a key that SCAN shows twice in one reply is counted and deleted once', async () => {
  const sent: string[][] = [];
  const pages = [
    ['7', ['mocs:1', 'mocs:1', 'sessions:1', 'sessions:1']],
    ['0', ['v2:mocs:2']],
  ];
  const send = async (command: readonly (string | Buffer)[]) => {
    sent.push(command.map(String));
    if (command[0] === 'INFO') return 'run_id:1\r\n';
    return command[0] === 'SCAN' ? pages.shift() : command.length - 1;
  };
  expect(await flush({ send, plan })).toMatchObject({ scanned: 3, flushed: 2, preserved: 1 });
  const steps = sent.flatMap(([name, ...args]) => {
    if (name === 'INFO') return [];
    return [[name, ...(name === 'SCAN' ? args.slice(0, 1) : args)]];
  });
  expect(steps).toEqual([
    ['SCAN', '0'],
    ['UNLINK', 'mocs:1'],
    ['SCAN', '7'],
    ['UNLINK', 'v2:mocs:2'],
  ]);
});

test('a Redis that is another one at the end than at the beginning is no success', async () => {
  const answers: Record<string, unknown[]> = {
    INFO: ['# Server\r\nrun_id:aaa\r\n', '# Server\r\nrun_id:bbb\r\n'],
    SCAN: [
      ['7', ['mocs:1']],
      ['0', []],
    ],
    UNLINK: [1],
  };
  const send = async ([name]: readonly (string | Buffer)[]) => answers[String(name)]?.shift();
  await expect(flush({ send, plan })).rejects.toMatchObject({
    name: 'FlushInterruptedError',
    code: 'CUTOVER_FLUSH_INTERRUPTED',
    message: expect.stringContaining('run it again'),
  });
});

describe('as a user', () => {
  const as = (name: string) => url.replace('redis://', `redis://${name}:secret@`);
  const user = (name: string, ...rules: string[]) =>
    redis.send(['ACL', 'SETUSER', name, 'on', '>secret', 'resetkeys', ...rules]);

  test('who may not delete, it is refused with the reason, and nothing is deleted', async () => {
    await populate();
    await redis.send(['SET', CLAIM, 'test']);
    await user('reader', '~*', '+@all', '-unlink');
    const before = await contents();
    await expect(flushAt(as('reader'), { plan })).rejects.toThrow(/^NOPERM .*'unlink'/);
    expect(await contents()).toEqual(before);
  });

  test('who may not delete one of the families, too', async () => {
    await populate();
    await user('half', '~mocs:*', '~gallery:*', '+@all');
    const before = await contents();
    await expect(flushAt(as('half'), { plan })).rejects.toThrow(/^NOPERM /);
    expect(await contents()).toEqual(before);
  });

  test('who may scan, delete, read the claim, ask who the server is, and no more, it works', async () => {
    const { due } = await populate();
    await user('flusher', '~*', '+scan', '+unlink', '+info', '+get');
    await redis.send(['SET', CLAIM, 'test']);
    const before = await contents();
    expect(await flushAt(as('flusher'), { plan })).toMatchObject({ flushed: due.length });
    expect(await contents()).toEqual(without(before, due));
  });

  test('under another NODE_ENV than the Redis is in use, it is refused, and nothing is deleted', async () => {
    await populate();
    await redis.send(['SET', CLAIM, 'production']);
    const before = await contents();
    await expect(flushAt(url, { plan })).rejects.toThrow(/NODE_ENV=test.*production/);
    expect(await contents()).toEqual(before);
  });
});
