import { createClient } from 'redis';
import { DUE } from './keys.ts';

const COUNT = 100;

/** The script that one writes first: for each pattern a SCAN with COUNT 100, all keys in memory, and one DEL. */
export async function flushPlainly(url: string): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  for (const family of DUE) {
    const all: string[] = [];
    for await (const keys of client.scanIterator({ MATCH: `${family}:*`, COUNT })) {
      for (const key of keys) all.push(key);
    }
    if (all.length > 0) await client.sendCommand(['DEL'].concat(all));
  }
  client.destroy();
}
