import type { RedisConnection } from '../../lambda/redis/connection.ts';

/** What is flushed, and what stays: 60 % and 40 % of the keys. */
export const DUE = ['mocs', 'gallery', 'wishlist', 'albums'] as const;
const KEPT = ['sessions', 'other'] as const;
const DUE_SHARE = 0.6;
const VALUE_BYTES = 100;

/** How many keys go. */
export const dueOf = (keys: number): number => DUE.length * Math.round((keys * DUE_SHARE) / DUE.length);
const keptOf = (keys: number): number => keys - dueOf(keys);

/**
 * Empties the Redis and fills it with so many keys; the server does it by itself, in a second a million.
 * @throws when it holds another number of keys then.
 */
export async function load({ send }: RedisConnection, keys: number): Promise<void> {
  await send(['FLUSHALL']);
  const populate = (prefix: string, count: number) =>
    send(['DEBUG', 'POPULATE', String(count), prefix, String(VALUE_BYTES)]);
  for (const family of DUE) await populate(`${family}:user`, dueOf(keys) / DUE.length);
  for (const family of KEPT) await populate(family, keptOf(keys) / KEPT.length);
  const loaded = Number(await send(['DBSIZE']));
  if (loaded !== keys) throw new Error(`bench: ${loaded} keys were loaded, and not ${keys}`);
}

/** A script stops the server meanwhile: short of what Redis takes for a busy one. */
const COUNTED_AT_ONCE = 100_000;
const COUNT_EXISTING = `local count = 0
for index = ARGV[2], ARGV[3] - 1 do count = count + redis.call('EXISTS', ARGV[1] .. ':' .. index) end
return count`;

/** @throws unless exactly those keys are left that were to stay: each of them, and no other one. */
export async function requireFlushed({ send }: RedisConnection, keys: number): Promise<void> {
  const left = Number(await send(['DBSIZE']));
  const each = keptOf(keys) / KEPT.length;
  let kept = 0;
  for (const family of KEPT) {
    for (let from = 0; from < each; from += COUNTED_AT_ONCE) {
      const to = Math.min(each, from + COUNTED_AT_ONCE);
      kept += Number(await send(['EVAL', COUNT_EXISTING, '0', family, String(from), String(to)]));
    }
  }
  if (left === keptOf(keys) && kept === left) return;
  throw new Error(
    `bench: of ${keys} keys ${left} are left, ${kept} of them to stay, and not exactly the ${keptOf(keys)} that were to`,
  );
}
