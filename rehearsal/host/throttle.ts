import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { type Route, routeKeyOf, type Throttle } from '../../lambda/contract/flag-routes.ts';
import { ProblemError } from '../../lambda/contract/problem.ts';
import type { Gate } from './host.ts';

/**
 * What the throttling of an HTTP API does, near enough: each of the routes serves so many requests at once, and so many a
 * second on average. It counts in windows as long as a whole burst takes to be earned, where API Gateway has a bucket.
 * @returns a gate that throws ProblemError 429 saying when to ask again.
 */
export function throttleRoutes(routes: readonly Route[], limit: Throttle): Gate {
  const { requestsPerSecond, burstRequests } = limit;
  const limiter = new RateLimiterMemory({
    points: burstRequests,
    duration: burstRequests / requestsPerSecond,
  });
  const patterns = routes.map(routeKeyOf).map((key) => ({ key, pattern: patternOf(key) }));
  return async (event) => {
    const request = `${event.requestContext.http.method} ${event.rawPath}`;
    const throttled = patterns.find(({ pattern }) => pattern.test(request));
    if (throttled) await limiter.consume(throttled.key).catch((refusal) => refuse(refusal, limit));
    return event;
  };
}

/** Of a route's key, with any text but a slash in place of its parameters; the rest has no character of meaning. */
const patternOf = (key: string) => new RegExp(`^${key.replaceAll(/\{\w+\}/g, '[^/]+')}$`);

function refuse(refusal: unknown, { requestsPerSecond, burstRequests }: Throttle): never {
  if (!(refusal instanceof RateLimiterRes)) throw refusal;
  throw new ProblemError(
    429,
    `more than ${requestsPerSecond} requests a second, or ${burstRequests} at once, to this route; ask again later`,
    { retryAfterSeconds: Math.ceil(refusal.msBeforeNext / 1000) },
  );
}
