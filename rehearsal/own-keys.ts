import type { Send } from '../lambda/cache/redis-store.ts';
import { namespacesIn } from '../lambda/contract/namespaces.ts';
import type { Database } from '../lambda/database/pool.ts';
import { sessionKeysIn } from './seed.ts';

const PAGE = 1000;

/** The protocol's own keys in a Redis, to find out later which of them are new. */
export async function protocolKeysIn(send: Send): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const command = ['SCAN', cursor, 'MATCH', 'cutover:*', 'COUNT', String(PAGE)];
    const [next, keys] = (await send(command)) as [string, string[]];
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return found;
}

export interface LeftKeys {
  readonly send: Send;
  /** Where the users' sessions are still known. */
  readonly database: Database;
  readonly env: string;
  /** Of the protocol's own, those that were there before. */
  readonly before: ReadonlySet<string>;
}

/** Removes from a Redis that outlives the rehearsal what its users and processes left there, beside what they cached. */
export async function removeLeftKeys({ send, database, env, before }: LeftKeys): Promise<void> {
  const sessions = await sessionKeysIn(database);
  const homes = ['', ...namespacesIn(env)];
  const protocol = [...(await protocolKeysIn(send))].filter((key) => !before.has(key));
  const keys = [...homes.flatMap((home) => sessions.map((key) => home + key)), ...protocol];
  for (let at = 0; at < keys.length; at += PAGE) await send(['UNLINK', ...keys.slice(at, at + PAGE)]);
}
