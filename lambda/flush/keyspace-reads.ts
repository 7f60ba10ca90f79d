import type { RawConnection } from '../redis/raw/raw-connection.ts';
import { openServers, type Target } from './pass/servers.ts';

/** How often Redis has found a key that it was asked for and how often not, over all primaries, since each of them began. */
export interface KeyspaceReads {
  readonly hits: number;
  readonly misses: number;
}

const PATIENCE_MS = 2000;

/** Reads them. @returns undefined where they cannot be read: no reason to leave anything undone, which says itself what is wrong. */
export async function readKeyspaceReads(target: Target): Promise<KeyspaceReads | undefined> {
  const options = { target, name: 'cutover-flush', connectTimeoutMs: PATIENCE_MS, silenceMs: PATIENCE_MS };
  const servers = await openServers(options).catch(() => undefined);
  if (!servers) return undefined;
  try {
    const each = await Promise.all(servers.all.map(({ connection }) => readsOf(connection)));
    const sum = (of: keyof KeyspaceReads) => each.reduce((total, reads) => total + reads[of], 0);
    return { hits: sum('hits'), misses: sum('misses') };
  } catch {
    return undefined;
  } finally {
    servers.close();
  }
}

async function readsOf(connection: RawConnection): Promise<KeyspaceReads> {
  const stats = String(await connection.send(['INFO', 'stats']));
  const counter = (name: string) => Number(new RegExp(`^keyspace_${name}:(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
  return { hits: counter('hits'), misses: counter('misses') };
}
