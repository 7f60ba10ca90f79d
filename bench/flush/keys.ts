import type { RedisConnection } from '../../lambda/redis/connection.ts';

/** What is flushed, and what stays: 60 % and 40 % of the keys. */
export const DUE = ['mocs', 'gallery', 'wishlist', 'albums'] as const;
const KEPT = ['sessions', 'other'] as const;
const DUE_SHARE = 0.6;
const VALUE_BYTES = 100;

/** How many keys go. */
export const dueOf = (keys: number): number => DUE.length * Math.round((keys * DUE_SHARE) / DUE.length);
const keptOf = (keys: number): number => keys - dueOf(keys);

/** Empties the Redis and fills it with so many keys; the server does it by itself, in a second a million. */
export async function load({ send }: RedisConnection, keys: number): Promise<void> {
  await send(['FLUSHALL']);
  const populate = (prefix: string, count: number) =>
    send(['DEBUG', 'POPULATE', String(count), prefix, String(VALUE_BYTES)]);
  for (const family of DUE) await populate(`${family}:user`, dueOf(keys) / DUE.length);
  for (const family of KEPT) await populate(family, keptOf(keys) / KEPT.length);
}

/** @throws when anything else is left than what was to stay. */
export async function requireFlushed({ send }: RedisConnection, keys: number): Promise<void> {
  const left = Number(await send(['DBSIZE']));
  const due = await send(['EXISTS', ...DUE.flatMap((family) => [`${family}:user:0`, `${family}:user:7`])]);
  if (left === keptOf(keys) && due === 0) return;
  throw new Error(`bench: ${left} keys are left of ${keys}, and not ${keptOf(keys)}`);
}
