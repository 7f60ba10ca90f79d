import type { Context, MiddlewareHandler } from 'hono';
import { ProblemError } from '../contract/problem.ts';
import { type Consumed, createRateLimit, type LimitOptions } from './rate-limits.ts';
import type { StateRedis } from './state-redis.ts';

export interface RouteLimit extends LimitOptions {
  /** Whom the limit is of: a user, an address. @throws ProblemError for a request that says nobody. */
  readonly subjectOf: (c: Context) => string | Promise<string>;
}

/** Rounded up: who comes back then is not too early. */
const toSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

/**
 * Limits a route. Every answer says how much is left, in the fields `RateLimit-Policy` and `RateLimit` of
 * draft-ietf-httpapi-ratelimit-headers-11 (2026-05); one too many is answered 429 with `Retry-After`, also where the limit denies
 * because Redis is away. Several limits of one route add up in these fields.
 */
export function rateLimit(redis: StateRedis, { subjectOf, ...options }: RouteLimit): MiddlewareHandler {
  const limit = createRateLimit(redis, options);
  const { name, points, windowSeconds } = options;
  return async (c, next) => {
    const consumed = await limit.consume(await subjectOf(c));
    c.header('RateLimit-Policy', `"${name}";q=${points};w=${windowSeconds}`, { append: true });
    if (consumed.countedBy !== 'nobody') {
      c.header('RateLimit', `"${name}";r=${consumed.remaining};t=${toSeconds(consumed.resetMs)}`, {
        append: true,
      });
    }
    if (!consumed.allowed) throw refusal(options, consumed);
    await next();
  };
}

function refusal({ name, points, windowSeconds }: LimitOptions, { resetMs, countedBy }: Consumed) {
  const detail =
    countedBy === 'nobody'
      ? `the limit ${name} cannot be looked up now; ask again later`
      : `more than ${points} requests in ${windowSeconds} s (limit ${name}); ask again later`;
  return new ProblemError(429, detail, { retryAfterSeconds: toSeconds(resetMs) });
}
