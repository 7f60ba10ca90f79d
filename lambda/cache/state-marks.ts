/**
 * What a key of state holds in place of an entry. Both are JSON, as entries are, so that one script reads all of them.
 */

/** Nothing is here and nothing may be stored here until it expires: the database decides. */
export const BARRIER = '{"barrier":true}';

/** Ended for ever. @param version above that of every entry. */
export const tombstoneOf = (version: number): string => `{"version":${version},"revoked":true}`;

/**
 * For how long a barrier stands, in milliseconds: longer than a request lives that has read the database before it, since what
 * such a request stores afterwards is outdated.
 */
export const BARRIER_MS = 60_000;

/** KEYS[1], with ARGV[1] the barrier and ARGV[2] its milliseconds. What has ended for ever is left, whatever else is there goes. */
export const BAR = `
local current = redis.pcall('GET', KEYS[1])
if type(current) == 'string' then
  local ok, seen = pcall(cjson.decode, current)
  if ok and type(seen) == 'table' and seen.revoked == true then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;
