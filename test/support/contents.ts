import type { RedisConnection } from '../../lambda/redis/connection.ts';

/** Everything that a Redis holds, a key as Latin-1: its value as DUMP writes it, and the time when it ends. */
export type Contents = Record<string, { readonly value: string; readonly endsAtMs: number }>;

/** @param redis answers buffers; in a cluster all primaries are asked. */
export async function contentsOf(redis: RedisConnection): Promise<Contents> {
  const all = await Promise.all(
    redis.primaries().map(({ send }) => send(['KEYS', '*']) as Promise<Buffer[]>),
  );
  const read = async (key: Buffer) => {
    const [value, endsAtMs] = await Promise.all([
      redis.send(['DUMP', key]),
      redis.send(['PEXPIRETIME', key]),
    ]);
    return [
      key.toString('latin1'),
      { value: String((value as Buffer).toString('base64')), endsAtMs },
    ] as const;
  };
  return Object.fromEntries(await Promise.all(all.flat().map(read))) as Contents;
}

/** The same without these keys. */
export function without(all: Contents, keys: readonly string[]): Contents {
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(all).filter(([key]) => !gone.has(key)));
}
