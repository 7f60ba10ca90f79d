import type { RedisConnection } from './connection.ts';

/** So many keys at a time: Redis looks at them in less than a millisecond. */
const PAGE_KEYS = 1000;

/** Every key of every primary that a pattern matches, a page at a time; a key may come twice, as SCAN has it. */
export async function* pagesOf(
  { primaries }: Pick<RedisConnection, 'primaries'>,
  pattern?: string,
): AsyncGenerator<string[]> {
  for (const { send } of primaries()) {
    let cursor = '0';
    do {
      const match = pattern === undefined ? [] : ['MATCH', pattern];
      const reply = await send(['SCAN', cursor, ...match, 'COUNT', String(PAGE_KEYS)]);
      const [next, keys] = reply as [string, string[]];
      cursor = String(next);
      if (keys.length > 0) yield keys.map(String);
    } while (cursor !== '0');
  }
}
