import type { RedisConnection } from '../redis/connection.ts';
import { pagesOf } from '../redis/scan.ts';
import { INSTANCE_PREFIX, type Instance, parseInstance } from './presence.ts';

/** The processes that have used a Redis in the last two minutes, and who may look for them. */
export interface InstanceReader {
  /** Who may SCAN; over all keys. */
  readonly scanner: Pick<RedisConnection, 'primaries' | 'ready'>;
  /** Who may read `cutover:instance:*`. */
  readonly reader: Pick<RedisConnection, 'send' | 'ready'>;
}

const PATIENCE_MS = 3000;

/** Who has used the Redis in the last two minutes, by service. @throws what Redis answers. */
export async function readInstances({ scanner, reader }: InstanceReader): Promise<Instance[]> {
  await Promise.all([scanner.ready(PATIENCE_MS), reader.ready(PATIENCE_MS)]);
  const keys = new Set<string>();
  for await (const page of pagesOf(scanner, `${INSTANCE_PREFIX}*`)) for (const key of page) keys.add(key);
  // One by one: in a cluster each is in a slot of its own.
  const values = await Promise.all([...keys].map((key) => reader.send(['GET', key])));
  return values
    .flatMap((value) => (value === null ? [] : (parseInstance(String(value)) ?? [])))
    .sort((one, other) => one.service.localeCompare(other.service));
}
