/**
 * Stores a record, ARGV[1], in KEYS[1] unless what is there is as new, or a mark (`lambda/cache/state-marks.ts`), until ARGV[2] in
 * milliseconds since 1970, -1 for ever; `look` in ARGV[3] says what would be done.
 */
export const NEWEST = `
local function read(bytes)
  local ok, record = pcall(cjson.decode, bytes)
  if not ok or type(record) ~= 'table' then return nil end
  if record.revoked == true or record.barrier == true or type(record.version) == 'number' then return record end
  return nil
end
local new = read(ARGV[1])
if not new then return -1 end
if new.barrier == true then return 0 end
local current = redis.call('GET', KEYS[1])
if current then
  local seen = read(current)
  if not seen then return -1 end
  if seen.revoked == true then return 0 end
  if new.revoked ~= true and (seen.barrier == true or seen.version >= new.version) then return 0 end
end
if ARGV[3] == 'look' then return 1 end
if ARGV[2] == '-1' then redis.call('SET', KEYS[1], ARGV[1])
else redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2]) end
return 1`;

/**
 * Adds ARGV from the third on to the set KEYS[1], which then lives until ARGV[1] at the least; `look` in ARGV[2] says how many would
 * be added.
 */
export const UNION = `
local key, ends = KEYS[1], tonumber(ARGV[1])
local added = 0
for i = 3, #ARGV do
  if redis.call('SISMEMBER', key, ARGV[i]) == 0 then added = added + 1 end
end
if ARGV[2] == 'look' or added == 0 then return added end
local before = redis.call('PEXPIRETIME', key)
redis.call('SADD', key, unpack(ARGV, 3))
if ends == -1 then redis.call('PERSIST', key)
elseif before == -2 or (before ~= -1 and before < ends) then redis.call('PEXPIREAT', key, ARGV[1]) end
return added`;
