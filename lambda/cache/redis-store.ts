import { createHash } from 'node:crypto';
import { batchedGet, pipelinedGet } from './batched-get.ts';
import { replyCodeOf } from './reply-code.ts';
import type { CacheStore, Fill, Reader } from './store.ts';

/** Sends one command to Redis. Commands sent in one tick must arrive in order, on one connection. */
export type Send = (command: readonly (string | Buffer)[]) => Promise<unknown>;

const FILL = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], unpack(ARGV, 3))
if KEYS[1] ~= KEYS[2] then redis.call('UNLINK', KEYS[1]) end
return 1`;

/** By its name a script is neither sent nor hashed again: a fill takes the server half of the time. */
const FILL_SHA = createHash('sha1').update(FILL).digest('hex');

/** The first keys are only removed: nobody may see one of the others and still hold a lease. */
const SET_ALL = `
for i = 1, tonumber(ARGV[1]) do redis.call('UNLINK', KEYS[i]) end
for i = tonumber(ARGV[1]) + 1, #KEYS do redis.call('SET', KEYS[i], unpack(ARGV, 2)) end
return 1`;

/** What PTTL answers of a key without a TTL, and of none. */
const NO_EXPIRY = -1;
const NOT_THERE = -2;

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end return 0`;

const TAKE_OVER = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** A fill of what somebody else's SET would have stored. */
export interface SetFill extends Omit<Fill, 'value' | 'ttlMs'> {
  readonly value: string | Buffer;
  /** As SET takes it: `['EX', '300']`; empty for a value that does not expire. */
  readonly expiry: readonly string[];
}

/** The command of a fill, which answers 1 if it stored. */
export const fillCommand = (fill: SetFill): (string | Buffer)[] => ['EVAL', FILL, ...fillArguments(fill)];

const fillArguments = ({ leaseAt, token, home, value, expiry }: SetFill): (string | Buffer)[] => [
  '2',
  leaseAt,
  home,
  token,
  value,
  ...expiry,
];

export interface RedisStoreOptions {
  /**
   * Whether keys live on several servers, by slot. Then a step waits for the one before it, and reads do not travel in one
   * command. Default: false.
   */
  readonly clustered?: boolean;
  /** After how long `send` gives up by itself, in milliseconds. Default: nobody knows, and each wait has a timer. */
  readonly longestWaitMs?: number;
}

/**
 * The protocol's steps on a Redis of 7.0 or newer (`SET ... NX GET`), or Valkey.
 * @example
 * ```ts
 * import { connectRedis, createKeyspace, redisStore } from 'cutover/cache';
 *
 * const redis = connectRedis({ url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'lists' });
 * await redis.ready(5000);
 * const store = redisStore(redis.send);
 * const { home } = createKeyspace({ phase: 'isolated', env: 'production' }).locate('mocs:1');
 * await redis.send(['SET', 'v2:mocs:1', '"first"']);
 * await store.get(home); // => '"first"'
 * await store.unlink([[home]]);
 * await store.get(home); // => null
 * redis.close();
 * ```
 */
export function redisStore(
  send: Send,
  { clustered = false, longestWaitMs }: RedisStoreOptions = {},
): CacheStore {
  const getFor = clustered ? pipelinedGet(send) : batchedGet(send);
  return {
    longestWaitMs,
    get: (key) => getFor(key, BYTES),
    getFor,
    async getWithTtl(key) {
      // In this order: should the entry be replaced in between, the TTL is that of the older one.
      const [ttlMs, value] = await Promise.all([send(['PTTL', key]), send(['GET', key])]);
      if (typeof value !== 'string' || ttlMs === NOT_THERE) return null;
      return { value, ttlMs: ttlMs === NO_EXPIRY ? Number.POSITIVE_INFINITY : Number(ttlMs) };
    },
    acquire: (key, token, leaseMs) =>
      send(['SET', key, token, 'NX', 'PX', String(leaseMs), 'GET']) as Promise<string | null>,
    async takeOver(key, seen, { token, leaseMs }) {
      return (await send(['EVAL', TAKE_OVER, '1', key, seen, token, String(leaseMs)])) === 1;
    },
    fill({ leaseAt, token, home, value, ttlMs }) {
      const fill = { leaseAt, token, home, value, expiry: expiryOf(ttlMs) };
      return send(['EVALSHA', FILL_SHA, ...fillArguments(fill)]).then(isOne, (error: unknown) => {
        // It was not executed: a server that was restarted, or another one of a cluster, has to be told the script.
        if (replyCodeOf(error) === 'NOSCRIPT') return send(fillCommand(fill)).then(isOne);
        throw error;
      });
    },
    async release(key, token) {
      await send(['EVAL', RELEASE, '1', key, token]);
    },
    async set({ fence, legacy, homes, others, value, ttlMs }) {
      const args = [value, ...expiryOf(ttlMs)];
      const setAll = (removed: readonly string[], stored: readonly string[]) =>
        send([
          'EVAL',
          SET_ALL,
          String(removed.length + stored.length),
          ...removed,
          ...stored,
          String(removed.length),
          ...args,
        ]);
      if (!clustered) return void (await setAll([fence, ...others], homes));
      // Lease and legacy key share a slot; every other key is in one of its own.
      const isStored = homes.includes(legacy);
      await setAll(isStored ? [fence] : [fence, legacy], isStored ? [legacy] : []);
      for (const home of homes) if (home !== legacy) await send(['SET', home, ...args]);
      for (const key of others) if (key !== legacy) await send(['UNLINK', key]);
    },
    async replace(key, value, ttlMs) {
      await send(['SET', key, value, ...expiryOf(ttlMs)]);
    },
    async renew(key, ttlMs) {
      await send(['PEXPIRE', key, String(ttlMs)]);
    },
    mark(key, ttlMs) {
      send(['SET', key, '1', ...expiryOf(ttlMs)]).catch(() => {});
    },
    async unlink(steps) {
      // Separate commands: each key is its own right and, in a cluster, its own slot.
      if (!clustered) return void (await Promise.all(steps.flat().map((key) => send(['UNLINK', key]))));
      for (const step of steps) await Promise.all(step.map((key) => send(['UNLINK', key])));
    },
  };
}

const isOne = (reply: unknown): boolean => reply === 1;

const expiryOf = (ttlMs: number): string[] =>
  ttlMs === Number.POSITIVE_INFINITY ? [] : ['PX', String(ttlMs)];

const BYTES: Reader<string | null> = {
  found: (bytes) => bytes,
  failed(error) {
    throw error;
  },
};
