import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createClient } from 'redis';
import { mirror } from '../../../lambda/mirror/mirror.ts';
import { gate } from '../../support/gate.ts';
import { ownRedis } from '../../support/servers.ts';

const KEY = 'mocs:user:1:list';
const FENCE = `cutover:lease:{${KEY}}:${KEY}`;
const N = `v2:${KEY}`;

let url: string;
let plain: ReturnType<typeof connect>;
let redis: ReturnType<typeof connect>;
const onWarning = jest.fn();

function connect() {
  // The server is gone before the last client.
  return createClient({ url }).on('error', () => {});
}

beforeAll(async () => {
  ({ url } = await ownRedis());
  plain = connect();
  await plain.connect();
  const client = connect();
  await client.connect();
  redis = mirror(client, { env: 'test', onWarning });
});
beforeEach(async () => {
  await plain.flushAll();
  onWarning.mockClear();
});
afterAll(() => {
  plain.destroy();
  redis.destroy();
});

/** Plain legacy code: its own context, as a request has one. */
const request = <T>(work: () => Promise<T>) =>
  new Promise<T>((resolve, reject) => setImmediate(() => work().then(resolve, reject)));

const getOrLoad = async (client: ReturnType<typeof connect>, load: () => Promise<string>) => {
  const cached = await client.get(KEY);
  if (cached !== null) return cached;
  const value = await load();
  await client.setEx(KEY, 300, value);
  return value;
};

describe('get, load, setEx', () => {
  test('stores the plain bytes with their TTL and leaves no lease', async () => {
    expect(await request(() => getOrLoad(redis, async () => 'first'))).toBe('first');
    expect(await request(() => getOrLoad(redis, async () => 'second'))).toBe('first');
    const own = [`cutover:seen:fill:{${KEY}}:${KEY}`, 'cutover:env'];
    const isOther = (key: string) => !key.startsWith('cutover:instance:');
    expect((await plain.keys('*')).filter(isOther).sort()).toEqual([...own, KEY].sort());
    expect(await plain.ttl(KEY)).toBe(300);
  });

  const race = async (reader: ReturnType<typeof connect>, writer: ReturnType<typeof connect>) => {
    const { held, open } = gate();
    const loading = gate();
    const late = request(() =>
      getOrLoad(reader, async () => {
        loading.open();
        await held;
        return 'old';
      }),
    );
    await loading.held;
    await request(() => writer.del(KEY));
    open();
    await late;
    return request(() => getOrLoad(writer, async () => 'new'));
  };

  test('a fill that comes after an invalidation is not stored', async () => {
    expect(await race(redis, redis)).toBe('new');
  });

  test('without the mirror it is', async () => {
    expect(await race(plain, plain)).toBe('old');
  });

  test('the SET of a write that also missed removes what the other backend cached before it', async () => {
    await request(async () => {
      expect(await redis.get(KEY)).toBeNull();
      await plain.set(N, 'old');
      await redis.set(KEY, 'new');
    });
    expect(await plain.mGet([KEY, N, FENCE])).toEqual(['new', null, null]);
  });

  test('an entry of the other backend that holds the same bytes stays', async () => {
    await plain.set(N, 'same');
    await request(() => getOrLoad(redis, async () => 'same'));
    expect(await plain.mGet([KEY, N])).toEqual(['same', 'same']);
  });

  test('a lease of the other backend goes: its load may have begun before the write', async () => {
    await plain.set(N, '\u0000lease:other');
    await request(() => getOrLoad(redis, async () => 'value'));
    expect(await plain.get(N)).toBeNull();
  });

  test('readers of a missing key wait for who loads it', async () => {
    const load = jest.fn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 'value';
    });
    const readers = Array.from({ length: 20 }, () => request(() => getOrLoad(redis, load)));
    expect(new Set(await Promise.all(readers))).toEqual(new Set(['value']));
    expect(load).toHaveBeenCalledTimes(1);
    expect(await plain.get(KEY)).toBe('value');
  });

  test('code that reads and never stores makes others wait once, not every time', async () => {
    const get = jest.spyOn(
      Object.getPrototypeOf(Object.getPrototypeOf(redis)) as typeof redis,
      'sendCommand',
    );
    await request(() => redis.get(KEY));
    await request(() => redis.get(KEY));
    const waited = get.mock.calls.length;
    await request(() => redis.get(KEY));
    expect(get.mock.calls.length - waited).toBeLessThan(waited / 2);
    get.mockRestore();
  });

  test('two helpers that read one key in one Promise.all store nothing that could be old', async () => {
    await request(() => Promise.all([getOrLoad(redis, async () => 'a'), getOrLoad(redis, async () => 'b')]));
    await request(() => redis.del(KEY));
    expect(await request(() => getOrLoad(redis, async () => 'new'))).toBe('new');
  });

  test('two reads of different keys in one Promise.all each store under their own lease', async () => {
    await request(async () => {
      const keys = ['mocs:a', 'mocs:b'];
      expect(await Promise.all(keys.map((key) => redis.get(key)))).toEqual([null, null]);
      await Promise.all(keys.map((key) => redis.setEx(key, 60, `value of ${key}`)));
    });
    expect(await plain.mGet(['mocs:a', 'mocs:b'])).toEqual(['value of mocs:a', 'value of mocs:b']);
  });

  test('each of 200 requests that interleave has a token of its own', async () => {
    const keys = Array.from({ length: 200 }, (_, index) => `mocs:user:${index}:list`);
    await Promise.all(
      keys.map((key) =>
        request(async () => {
          expect(await redis.get(key)).toBeNull();
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
          await redis.setEx(key, 60, key);
        }),
      ),
    );
    expect(await plain.mGet(keys)).toEqual(keys);
  });
});

describe('a load that takes longer than others wait for it', () => {
  const slow = (ms: number, value: string) => async () => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return value;
  };

  test('is stored all the same, by whoever is first, and stays', async () => {
    await Promise.all([200, 180, 160].map((ms) => request(() => getOrLoad(redis, slow(ms, 'value')))));
    expect(await plain.mGet([KEY, FENCE])).toEqual(['value', null]);
  });

  test('and does not take an equal entry of the other backend with it', async () => {
    const readers = [220, 200].map((ms) => request(() => getOrLoad(redis, slow(ms, 'value'))));
    await plain.set(N, 'value');
    await Promise.all(readers);
    expect(await plain.mGet([KEY, N])).toEqual(['value', 'value']);
  });

  test('is not stored when an invalidation came after the lease that it shares', async () => {
    const readers = [220, 200].map((ms) => request(() => getOrLoad(redis, slow(ms, 'old'))));
    await new Promise((resolve) => setTimeout(resolve, 150));
    await request(() => redis.del(KEY));
    await Promise.all(readers);
    expect(await plain.exists([KEY, N])).toBe(0);
  });
});

describe('a SET that follows no read is an invalidation', () => {
  beforeEach(async () => {
    await plain.mSet([KEY, 'old', N, 'old', FENCE, 'somebody']);
  });
  const nothingLeft = async () => expect(await plain.mGet([KEY, N, FENCE])).toEqual([null, null, null]);

  test.each<[string, () => Promise<unknown>]>([
    ['set', () => redis.set(KEY, 'new')],
    ['set with EX', () => redis.set(KEY, 'new', { EX: 60 })],
    ['setEx', () => redis.setEx(KEY, 60, 'new')],
    ['SETEX', () => redis.SETEX(KEY, 60, 'new')],
    ['pSetEx', () => redis.pSetEx(KEY, 60_000, 'new')],
  ])('%s', async (_, run) => {
    expect(await request(run)).toBe('OK');
    await nothingLeft();
  });

  test('after a hit, too', async () => {
    await request(async () => {
      expect(await redis.get(KEY)).toBe('old');
      await redis.set(KEY, 'new');
    });
    await nothingLeft();
  });
});

describe('other changes', () => {
  beforeEach(async () => {
    await plain.mSet([KEY, 'old', N, 'old', FENCE, 'somebody']);
  });
  const gone = async (...keys: string[]) => expect(await plain.mGet(keys)).toEqual(keys.map(() => null));

  test.each<[string, () => Promise<unknown>, unknown]>([
    ['del', () => redis.del(KEY), 1],
    ['del of several', () => redis.del([KEY, 'mocs:none']), 1],
    ['unlink', () => redis.unlink(KEY), 1],
    ['getDel', () => redis.getDel(KEY), 'old'],
  ])('%s answers as ever and invalidates for both backends', async (_, run, reply) => {
    expect(await request(run)).toBe(reply);
    await gone(KEY, N, FENCE);
    expect(onWarning).not.toHaveBeenCalled();
  });

  test('sAdd and sRem keep the set and invalidate the others', async () => {
    await plain.del(KEY);
    expect(await request(() => redis.sAdd(KEY, ['a', 'b']))).toBe(2);
    expect(await plain.sCard(KEY)).toBe(2);
    await gone(N, FENCE);
  });

  test('a command that the mirror does not know runs, invalidates, and is told of once', async () => {
    expect(await request(() => redis.append(KEY, '!'))).toBe(4);
    await gone(KEY, N, FENCE);
    await request(() => redis.append('mocs:other', '!'));
    await request(() => redis.sendCommand(['APPEND', 'mocs:third', '!']));
    expect(onWarning.mock.calls).toEqual([[expect.stringContaining('APPEND')]]);
    expect(await plain.exists('mocs:third')).toBe(0);
  });

  test('a script is told of, and the keys that it is given are invalidated', async () => {
    const script = "return redis.call('SET', KEYS[1], ARGV[1])";
    expect(await request(() => redis.eval(script, { keys: [KEY], arguments: ['new'] }))).toBe('OK');
    await gone(KEY, N, FENCE);
    expect(onWarning.mock.calls.flat().join()).toContain('EVAL');
  });

  test('what an unknown write stores is never there to be read: it goes in the same transaction', async () => {
    await plain.del(KEY);
    const seen = new Set<string | null>();
    let done = false;
    const watching = (async () => {
      while (!done) seen.add(await plain.get(KEY));
    })();
    for (let round = 0; round < 200; round += 1) {
      expect(await request(() => redis.set(KEY, 'late', { NX: true }))).toBe('OK');
    }
    done = true;
    await watching;
    expect(seen).toEqual(new Set([null]));
  });

  test('an unknown write that fails fails as ever, and invalidates', async () => {
    await expect(request(() => redis.incr(KEY))).rejects.toThrow('not an integer');
    await gone(KEY, N, FENCE);
  });

  test('expire, persist and getEx leave the value where it is', async () => {
    await request(async () => {
      await redis.expire(KEY, 60);
      expect(await redis.getEx(KEY, { type: 'EX', value: 90 })).toBe('old');
      await redis.multi().expire(KEY, 70).exec();
      await redis.persist(KEY);
    });
    expect(await plain.mGet([KEY, N])).toEqual(['old', 'old']);
    expect(onWarning).not.toHaveBeenCalled();
  });

  test('SET NX answers as ever', async () => {
    expect(await request(() => redis.set(KEY, 'new', { NX: true }))).toBeNull();
    await gone(KEY, N, FENCE);
  });

  test('reads do not invalidate', async () => {
    await request(() => Promise.all([redis.ttl(KEY), redis.exists(KEY), redis.sendCommand(['STRLEN', KEY])]));
    expect(await plain.get(KEY)).toBe('old');
    expect(onWarning).not.toHaveBeenCalled();
  });

  test('mGet takes a lease for each miss', async () => {
    await request(async () => {
      expect(await redis.mGet([KEY, 'mocs:missing', 'sessions:1'])).toEqual(['old', null, null]);
      await redis.setEx('mocs:missing', 60, 'loaded');
    });
    expect(await plain.get('mocs:missing')).toBe('loaded');
    expect(await plain.exists('cutover:lease:{mocs:missing}:mocs:missing')).toBe(0);
  });
});

describe('MULTI', () => {
  test('answers as ever; a SET without a read stores nothing, what it touched is invalidated', async () => {
    await plain.mSet([KEY, 'old', N, 'old', 'mocs:2', 'old', 'v2:mocs:2', 'old']);
    const replies = await request(() =>
      redis.multi().set(KEY, 'new').del('mocs:2').set('plain:1', 'x').get('plain:1').exec(),
    );
    expect(replies).toEqual(['OK', 1, 'OK', 'x']);
    expect(await plain.mGet([KEY, N, 'mocs:2', 'v2:mocs:2'])).toEqual([null, null, null, null]);
  });

  test('with a command that fails: the others were executed, and are invalidated', async () => {
    await plain.mSet([N, 'old', 'plain:text', 'text']);
    await request(async () => {
      expect(await redis.get(KEY)).toBeNull();
      await expect(redis.multi().set(KEY, 'new').incr('plain:text').exec()).rejects.toThrow();
    });
    expect(await plain.mGet([KEY, N, FENCE])).toEqual([null, null, null]);
  });

  test('a SET after a miss is a fill under its lease', async () => {
    await request(async () => {
      expect(await redis.get(KEY)).toBeNull();
      expect(await redis.multi().setEx(KEY, 60, 'loaded').incr('plain:counter').exec()).toEqual(['OK', 1]);
    });
    expect(await plain.get(KEY)).toBe('loaded');
  });

  test('and is not stored when an invalidation came between', async () => {
    await request(async () => {
      expect(await redis.get(KEY)).toBeNull();
      await plain.del(FENCE);
      expect(await redis.multi().setEx(KEY, 60, 'late').exec()).toEqual(['OK']);
    });
    expect(await plain.get(KEY)).toBeNull();
  });
});

describe('what the mirror leaves alone', () => {
  test.each(['sessions:abc', 'ratelimit:1', 'user-profiles:1', 'anything:else', 'mocs'])(
    '%s',
    async (key) => {
      expect(await request(() => redis.set(key, 'value', { EX: 60 }))).toBe('OK');
      expect(await request(() => redis.get(key))).toBe('value');
      expect(await plain.keys('cutover:lease:*')).toEqual([]);
      expect(await request(() => redis.del(key))).toBe(1);
    },
  );

  test('connect() and derived clients stay mirrored', async () => {
    const client = await mirror(connect(), { env: 'test' }).connect();
    await plain.set(N, 'old');
    await request(() =>
      client
        .duplicate()
        .connect()
        .then(async (other) => {
          await other.del(KEY);
          other.destroy();
        }),
    );
    expect(await plain.get(N)).toBeNull();
    client.destroy();
  });

  test('a Redis of another environment is refused at the first command', async () => {
    await plain.set('cutover:env', 'production');
    const client = await mirror(connect(), { env: 'staging' }).connect();
    await expect(client.get(KEY)).rejects.toThrow(/staging.*production/);
    await expect(client.multi().del(KEY).exec()).rejects.toThrow(/staging.*production/);
    expect(await client.multi().set('plain:1', 'x').exec()).toEqual(['OK']);
    client.destroy();
  });

  test('a duplicate invalidates on its own connection, in order', async () => {
    const base = await mirror(connect(), { env: 'test' }).connect();
    const other = await base.duplicate().connect();
    base.destroy();
    await plain.mSet([KEY, 'old', N, 'old']);
    await other.del(KEY);
    expect(await plain.exists([KEY, N])).toBe(0);
    other.destroy();
  });

  test('a client that answers buffers is mirrored, too', async () => {
    const client = await mirror(connect(), { env: 'test' }).connect();
    const binary = client.withTypeMapping({ 36: Buffer });
    await request(async () => {
      expect(await binary.get(KEY)).toBeNull();
      await binary.setEx(KEY, 60, Buffer.from([0xff, 0x00]));
    });
    expect(await binary.get(KEY)).toEqual(Buffer.from([0xff, 0x00]));
    client.destroy();
  });

  test('an MGET of 10,000 keys does not hold up the process', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `mocs:many:${index}`);
    let longestMs = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 5);
    expect(await request(() => redis.mGet(keys))).toHaveLength(10_000);
    clearInterval(watch);
    expect(longestMs).toBeLessThan(2000);
  });

  test.each(['legacy', 'createPool', 'asap'])('%s() is refused: it would go around the mirror', (method) => {
    expect(() => Reflect.get(redis, method).call(redis)).toThrow(method);
  });

  test('and so is the option that lets a command overtake others', () => {
    expect(() => redis.withCommandOptions({ asap: true })).toThrow('withCommandOptions');
    expect(redis.withCommandOptions({ asap: false })).toBeDefined();
  });

  test('a keyPrefix is refused', () => {
    expect(() => mirror(createClient({ url, keyPrefix: 'app:' }), { env: 'test' })).toThrow('keyPrefix=app:');
  });

  test('what is no single connection, and an unusable env, are refused at once', () => {
    expect(() => mirror({} as never, { env: 'test' })).toThrow('createClient');
    expect(() => mirror(connect(), { env: '' })).toThrow('env=');
  });
});
