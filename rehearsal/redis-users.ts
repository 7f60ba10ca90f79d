import { randomBytes } from 'node:crypto';
import type { Send } from '../lambda/cache/redis-store.ts';
import {
  type AccessOptions,
  accessStringsOf,
  REDIS_USERS,
  type RedisUser,
} from '../lambda/contract/access.ts';

/** The URL by which each user connects. */
export type RedisUrls = Readonly<Record<RedisUser, string>>;

/** One URL for all, of a Redis that knows no such users. */
export const sameForAll = (url: string): RedisUrls =>
  Object.fromEntries(REDIS_USERS.map((user) => [user, url])) as Record<RedisUser, string>;

/**
 * Makes the users that are deployed, with passwords of their own, so that what a backend may not do is refused here, too.
 * @param send of a user who may do everything. @throws what Redis says of a rule that it does not take.
 */
export async function createRedisUsers(
  { send, url }: { readonly send: Send; readonly url: string },
  access: AccessOptions,
): Promise<RedisUrls> {
  const created = await Promise.all(
    Object.entries(accessStringsOf(access)).map(async ([user, rules]) => {
      const password = randomBytes(16).toString('hex');
      await send(['ACL', 'SETUSER', user, 'reset', `>${password}`, ...rules.split(' ')]);
      const own = new URL(url);
      own.username = user;
      own.password = password;
      return [user, own.href] as const;
    }),
  );
  return Object.fromEntries(created) as Record<RedisUser, string>;
}

/**
 * Gives the users the rights of another phase, as a deployment does before its functions: their passwords stay, and who is connected.
 * @throws what Redis says of a rule that it does not take.
 */
export async function changeRedisUsers(send: Send, access: AccessOptions): Promise<void> {
  await Promise.all(
    Object.entries(accessStringsOf(access)).map(([user, rules]) =>
      send(['ACL', 'SETUSER', user, 'resetkeys', ...rules.split(' ')]),
    ),
  );
}

/** What the server has refused to its users, each with how often: `legacy: key v2:mocs:1 (3 times)`. */
export async function refusalsOf(send: Send): Promise<string[]> {
  const entries = (await send(['ACL', 'LOG'])) as Record<
    'username' | 'reason' | 'object' | 'count',
    unknown
  >[];
  return entries.map(
    ({ username, reason, object, count }) => `${username}: ${reason} ${object} (${count} times)`,
  );
}
