import { createHash } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { limiterClient, UncountedError } from './rate-limits-redis.ts';
import type { StateRedis } from './state-redis.ts';

/** How many requests a subject may make. */
export interface LimitOptions {
  /** Which limit it is: a part of the key, and what clients are told. Lower-case words. */
  readonly name: string;
  /** The quota of a window. */
  readonly points: number;
  /** Whole seconds, 14 days at the most. A window begins with the first request, and a new one with the first after it. */
  readonly windowSeconds: number;
  /** What to do while nobody can tell: `open` counts in this process alone, `deny` refuses. */
  readonly whenAway: 'open' | 'deny';
}

/** What became of a request. */
export interface Consumed {
  readonly allowed: boolean;
  /** Of the quota, in the window that runs. */
  readonly remaining: number;
  /** When the window ends, in milliseconds from now; no less than what both homes say. */
  readonly resetMs: number;
  /** `redis`; `process` while Redis is away and the limit stays open; `nobody` where it denies for that reason. */
  readonly countedBy: 'redis' | 'process' | 'nobody';
}

/** What happened in this process so far. */
export interface LimitCounts {
  readonly allowed: number;
  readonly denied: number;
  /** Of both, those that Redis did not count. */
  readonly away: number;
}

export interface RateLimit {
  readonly options: LimitOptions;
  /**
   * Counts a request of a subject: a user, an address, but no secret, since a key is no place for one. Never rejects.
   * @param subject any text but the empty one; a long one is stored as a hash.
   */
  consume(subject: string): Promise<Consumed>;
  readonly counts: LimitCounts;
}

const NAME = /^[a-z][a-z0-9-]{0,39}$/;
/** As long as a request may be told to come back, where nobody knows. */
const AWAY_MS = 5000;
const MAX_PLAIN_SUBJECT = 128;
/** Less than a timer can wait. */
const MAX_WINDOW_SECONDS = 14 * 24 * 3600;

/**
 * A limit over both homes of `rl:{name}:...`. The family's switch says where this process counts; what is left is the quota without
 * what both homes have, in one step of Redis's, so that processes on both sides of the switch share one quota, in one window.
 * @throws RangeError for a limit that cannot be.
 */
export function createRateLimit(redis: StateRedis, options: LimitOptions): RateLimit {
  const { name, points, windowSeconds, whenAway } = requireLimit(options);
  const shared = { points, duration: windowSeconds, keyPrefix: '' };
  const limiter = new RateLimiterRedis({ ...shared, storeClient: limiterClient(redis) });
  const inProcess = new RateLimiterMemory(shared);
  const counts = { allowed: 0, denied: 0, away: 0 };

  const ask = async (counter: RateLimiterRedis | RateLimiterMemory, key: string) => {
    const result = await counter.consume(key).catch((refusal: unknown) => {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    });
    const { consumedPoints, remainingPoints, msBeforeNext } = result;
    return { allowed: consumedPoints <= points, remaining: remainingPoints, resetMs: msBeforeNext };
  };

  const consume = async (key: string): Promise<Consumed> => {
    try {
      return { ...(await ask(limiter, key)), countedBy: 'redis' };
    } catch (error) {
      if (!(error instanceof UncountedError)) throw error;
      counts.away += 1;
      return whenAway === 'open'
        ? { ...(await ask(inProcess, key)), countedBy: 'process' }
        : { allowed: false, remaining: 0, resetMs: AWAY_MS, countedBy: 'nobody' };
    }
  };

  return {
    options,
    counts,
    async consume(subject) {
      const consumed = await consume(limitKey(name, subject));
      counts[consumed.allowed ? 'allowed' : 'denied'] += 1;
      return consumed;
    },
  };
}

/**
 * The key of a subject's count. It is what Redis Cluster hashes of the key, so that both homes are on one server.
 * @throws RangeError for an empty subject.
 */
export function limitKey(name: string, subject: string): string {
  if (subject === '')
    throw new RangeError(`rate limits: the subject of ${name} is empty; name whom it limits`);
  const plain = encodeURIComponent(subject.toWellFormed());
  // No plain one has a "+".
  const hash = () => `+${createHash('sha256').update(subject).digest('base64url')}`;
  const stored = plain.length <= MAX_PLAIN_SUBJECT ? plain : hash();
  return `rl:${name}:{${stored}}`;
}

function requireLimit(options: LimitOptions): LimitOptions {
  const { name, points, windowSeconds } = options;
  if (!NAME.test(name)) {
    throw new RangeError(`rate limits: name is ${JSON.stringify(name)}; it must be such as access-codes`);
  }
  for (const [field, value] of Object.entries({ points, windowSeconds })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new RangeError(`rate limits: ${field} of ${name} is ${value}; it must be a whole number above 0`);
  }
  if (windowSeconds > MAX_WINDOW_SECONDS) {
    throw new RangeError(
      `rate limits: windowSeconds of ${name} is ${windowSeconds}; it must be at most ${MAX_WINDOW_SECONDS}`,
    );
  }
  return options;
}
