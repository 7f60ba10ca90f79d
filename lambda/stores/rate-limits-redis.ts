import type { PhysicalKey } from '../cache/keyspace.ts';
import type { StateRedis } from './state-redis.ts';

/**
 * Counts one point in KEYS[1] unless all places together are full: ARGV[1] the quota, ARGV[2] the window in milliseconds. Two windows
 * at once would be two quotas, so a window that begins here ends when that of another place does; and points of a place count until
 * its own window ends. What is refused is not counted, and so does not put off the end of anything.
 * @returns what is consumed with this, above the quota where it is refused, and after how many milliseconds the last window ends.
 */
const CONSUME = `
local quota, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local own, sum, ends = 0, 1, -1
for index, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if value then
    if #value > 15 or not string.match(value, '^%d+$') then return redis.error_reply('WRONGTYPE no count of a rate limit') end
    local left = redis.call('PTTL', key)
    if left < 0 then
      redis.call('PEXPIRE', key, window)
      left = window
    end
    sum = sum + tonumber(value)
    ends = math.max(ends, left)
    if index == 1 then own = tonumber(value) end
  end
end
if sum > quota then return {sum, ends < 0 and window or ends} end
if own > 0 then redis.call('SET', KEYS[1], own + 1, 'KEEPTTL')
else
  if ends < 0 then ends = window end
  redis.call('SET', KEYS[1], 1, 'PX', math.max(1, ends))
end
return {sum, ends}`;

/** Nobody can say how much of the quota is left. */
export class UncountedError extends Error {
  override readonly name = 'UncountedError';
}

/** What rate-limiter-flexible asks of a client that knows scripts: this is its whole conversation with Redis here. */
export interface LimiterClient {
  readonly defineCommand: () => void;
  readonly rlflxIncr: (
    args: readonly [key: string, cost: string, seconds: string, quota: string, duration: string],
  ) => Promise<unknown>;
}

/**
 * The client of one limit.
 * @returns one that rejects with UncountedError where Redis does not answer, or holds something else under a key.
 */
export function limiterClient(redis: StateRedis): LimiterClient {
  const run = async (family: string, args: readonly string[]) => {
    const answer = await redis.ask(family, ['EVAL', CONSUME, ...args]);
    if (typeof answer === 'object') return answer.reply;
    throw new UncountedError(`rate limits: ${answer}`);
  };
  return {
    // The script is ours: the library's counts what it refuses, too, and in one place.
    defineCommand: () => {},
    rlflxIncr([key, , seconds, quota]) {
      const { family, write, everywhere } = redis.locate(key);
      const [own] = write;
      const places = [own, ...everywhere.filter((place) => place !== own)] as PhysicalKey[];
      const windowMs = String(Number(seconds) * 1000);
      return run(family, [String(places.length), ...places, quota, windowMs]);
    },
  };
}
