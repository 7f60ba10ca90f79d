/** Keys of every family in every namespace, and others: what a census has to tell apart. */
import { FAMILIES } from '../../lambda/contract/families.ts';
import type { Command, RedisConnection } from '../../lambda/redis/connection.ts';

/** In use with NODE_ENV=test. */
export const NAMESPACES = ['', 'v2:', 'cw:test:'];

interface Seeded {
  readonly key: string | Buffer;
  /** Its class as the test sees it: namespace and family, or what an unclassified key begins with. */
  readonly of: string;
  readonly write: (key: string | Buffer) => Command;
}

const string =
  (length: number): Seeded['write'] =>
  (key) => ['SET', key, 'x'.repeat(length)];

/** Every family in every namespace, each a little larger than the one before, so that a swapped class shows. */
export const OF_FAMILIES: readonly Seeded[] = NAMESPACES.flatMap((namespace, place) =>
  [...FAMILIES.map(({ name }) => name), 'cutover'].flatMap((name, index) =>
    Array.from({ length: 3 + index }, (_, user) => ({
      key: `${namespace}${name}:user:${user}:list`,
      of: `${namespace}${name}`,
      write: string(100 * place + 10 * index + user),
    })),
  ),
);

export const OTHERS: readonly Seeded[] = [
  { key: 'mocs', of: '', write: string(5) },
  { key: ':mocs', of: ':', write: string(5) },
  { key: 'mocsX:1', of: 'mocsX:', write: string(5) },
  { key: 'v1:mocs:1', of: 'v1:', write: string(5) },
  { key: 'v2:v2:mocs:1', of: 'v2:v2:', write: string(5) },
  { key: 'v2:mocs', of: 'v2:', write: string(5) },
  { key: 'cw:other:mocs:1', of: 'cw:other:', write: string(5) },
  { key: 'jobs:{1}:wait', of: 'jobs:', write: (key) => ['RPUSH', key, 'a', 'b', 'c'] },
  { key: 'jobs:seen', of: 'jobs:', write: (key) => ['SADD', key, 'a', 'b', 'c'] },
  { key: 'jobs:by-name', of: 'jobs:', write: (key) => ['HSET', key, 'a', '1', 'b', '2'] },
  { key: 'jobs:by-time', of: 'jobs:', write: (key) => ['ZADD', key, '1', 'a', '2', 'b'] },
  { key: Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0x3a, 0xfe]), of: '\\xff\\x00\\x0d\\x0a:', write: string(7) },
  { key: Buffer.from('mocs\u0000:1'), of: 'mocs\\x00:', write: string(7) },
  ...Array.from({ length: 12 }, (_, index) => ({
    key: `large:${index}`,
    of: 'large:',
    // Further apart than the sizes that an allocator has.
    write: string(Math.round(1000 * 1.5 ** index)),
  })),
];
/** One of them; how often a new key counts as used (LFU_INIT_VAL): the first read is sure to count. */
export const UNREAD = 'mocs';
export const NEW_KEYS_USES = 5;

export const ALL = [...OF_FAMILIES, ...OTHERS];

/** What the census should find, from a test's own questions. */
export interface Found {
  keys: number;
  bytes: number;
  lasting: number;
}

export async function ask(
  redis: RedisConnection,
): Promise<Map<string, Found & { largest: [string, number][] }>> {
  const found = new Map<string, Found & { largest: [string, number][] }>();
  for (const { key, of } of ALL) {
    const bytes = Number(await redis.send(['MEMORY', 'USAGE', key]));
    const lasting = Number(await redis.send(['PTTL', key])) === -1 ? 1 : 0;
    const own = found.get(of) ?? { keys: 0, bytes: 0, lasting: 0, largest: [] };
    own.keys += 1;
    own.bytes += bytes;
    own.lasting += lasting;
    own.largest.push([String(key), bytes]);
    found.set(of, own);
  }
  return found;
}
