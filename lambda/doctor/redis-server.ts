import { CLAIM } from '../cache/claim.ts';
import type { Primary } from '../redis/connection.ts';
import { ErrorReply } from '../redis/raw/raw-connection.ts';
import { type Finding, fail, pass, warn } from './examination.ts';

type Ask = (section: string) => Promise<string>;

/** `SET ... NX GET`, which takes a lease, came with it. */
const OLDEST = 7;
const PINGS = 20;
const MAX_LATENCY_MS = 5;
const MAX_SKEW_MS = 1000;
/** As the alarm has it. */
const MAX_USED_PERCENT = 75;
const FULL_PERCENT = 98;

/** A field of INFO. */
export const fieldOf = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1];

/** Valkey says which Redis it stands for. */
export async function versionOf(info: Ask): Promise<Finding> {
  const server = await info('server');
  const version = fieldOf(server, 'redis_version') ?? 'unknown';
  const valkey = fieldOf(server, 'valkey_version');
  const shown = valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`;
  if (Number.parseInt(version, 10) >= OLDEST) return pass(shown);
  return fail(
    `${shown} is too old: it has no SET with NX and GET`,
    `upgrade it to ${OLDEST}.0 or newer, or to Valkey`,
  );
}

/** Whether REDIS_CLUSTER says what the server is. */
export async function clusterModeOf(info: Ask, cluster: boolean): Promise<Finding> {
  const isOne = /^(redis|server)_mode:cluster/m.test(await info('server'));
  if (isOne === cluster) return pass(cluster ? 'on, as REDIS_CLUSTER says' : 'off, as REDIS_CLUSTER says');
  return cluster
    ? fail('REDIS_CLUSTER is set, and the server is none of a cluster', 'unset REDIS_CLUSTER')
    : fail('the server is one of a cluster, and holds a share of the keys', 'set REDIS_CLUSTER=1');
}

/** Whether it takes writes. */
export async function roleOf(info: Ask): Promise<Finding> {
  const replication = await info('replication');
  if (fieldOf(replication, 'role') !== 'slave') return pass('a primary');
  const [host, port] = [fieldOf(replication, 'master_host'), fieldOf(replication, 'master_port')];
  return fail(
    `a replica of ${host}:${port}: it takes no writes, and nobody invalidates what it holds`,
    'name the primary in REDIS_URL: in ElastiCache the primary endpoint, not the reader’s',
  );
}

interface Memory {
  readonly policy: string;
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  readonly percent: number;
}

/** Of the primary that is fullest. */
export async function memoryOf(primaries: readonly Primary[]): Promise<Memory> {
  const each = await Promise.all(
    primaries.map(async ({ send }) => {
      const info = String(await send(['INFO', 'memory']));
      const [usedBytes, maxBytes] = ['used_memory', 'maxmemory'].map((name) =>
        Number(fieldOf(info, name) ?? 0),
      );
      const [used = 0, max = 0] = [usedBytes, maxBytes];
      const policy = fieldOf(info, 'maxmemory_policy') ?? 'unknown';
      return { policy, usedBytes: used, maxBytes: max, percent: max === 0 ? 0 : (used / max) * 100 };
    }),
  );
  const [fullest] = each.sort((one, other) => other.percent - one.percent);
  if (!fullest) throw new Error('no primary tells of its memory');
  return fullest;
}

/** Whether what it does when it is full suits sessions and cached lists in one memory. */
export function evictionOf({ policy, percent, maxBytes }: Memory): Finding {
  const remedy = 'set maxmemory-policy to volatile-ttl (ElastiCache: in the parameter group)';
  if (policy === 'volatile-ttl') return pass(policy);
  if (policy.startsWith('allkeys-')) {
    return fail(`${policy}: a full memory evicts sessions and quotas, too`, remedy);
  }
  if (policy !== 'noeviction') return warn(`${policy}: what expires first should go first`, remedy);
  if (percent >= FULL_PERCENT) {
    return fail(
      `noeviction, and full to ${percent.toFixed(0)} %: it refuses every write`,
      `${remedy}, or raise maxmemory`,
    );
  }
  return warn(
    maxBytes === 0 ? 'noeviction, and no maxmemory' : 'noeviction: when it is full it refuses every write',
    remedy,
  );
}

export function usageOf({ usedBytes, maxBytes, percent }: Memory): Finding {
  const used = `${mebibytes(usedBytes)} MiB`;
  if (maxBytes === 0) return pass(`${used}, without a limit`);
  const shown = `${used} of ${mebibytes(maxBytes)} MiB, ${percent.toFixed(0)} %`;
  if (percent <= MAX_USED_PERCENT) return pass(shown);
  return warn(
    `${shown}: above ${MAX_USED_PERCENT} %`,
    'take the next larger node, or flush what nobody needs',
  );
}

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

/** Whether the processes on this Redis run under this name. @throws what Redis answers. */
export async function claimOf(send: Primary['send'], env: string): Promise<Finding> {
  const claimed = await send(['GET', CLAIM]);
  if (claimed === null) return pass('not claimed yet: the first process does');
  if (String(claimed) === env) return pass(String(claimed));
  return fail(
    `NODE_ENV is ${env}, and this Redis is in use under ${String(claimed)}: they would not invalidate each other`,
    `set NODE_ENV=${String(claimed)}, or DEL ${CLAIM} when it is out of date`,
  );
}

/** The middle of some PINGs. */
export async function latencyOf(send: Primary['send']): Promise<Finding> {
  const times: number[] = [];
  for (let count = 0; count < PINGS; count += 1) {
    const beganAt = performance.now();
    await send(['PING']);
    times.push(performance.now() - beganAt);
  }
  const median = times.sort((one, other) => one - other)[PINGS / 2] ?? 0;
  const shown = `${median.toFixed(1)} ms, the median of ${PINGS}`;
  if (median <= MAX_LATENCY_MS) return pass(shown);
  return warn(
    `${shown}: above ${MAX_LATENCY_MS} ms`,
    'run this where the service runs, or move the service nearer',
  );
}

/** Its clock beside ours; from INFO, since TIME is a right more. */
export async function redisClockOf(info: Ask): Promise<Finding> {
  const beganAt = Date.now();
  const told = fieldOf(await info('server'), 'server_time_usec');
  if (told === undefined) throw new ErrorReply('INFO names no server_time_usec');
  return clockOf(Number(told) / 1000, { beganAt, endedAt: Date.now() });
}

/** How far a clock is from ours, of which it is known that the answer was made between two of our times. */
export function clockOf(atMs: number, { beganAt, endedAt }: { beganAt: number; endedAt: number }): Finding {
  const skewMs = atMs < beganAt ? atMs - beganAt : Math.max(0, atMs - endedAt);
  const shown = `${Math.abs(Math.round(skewMs))} ms ${skewMs < 0 ? 'behind' : 'ahead of'} ours`;
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return pass(Math.round(skewMs) === 0 ? 'as ours' : shown);
  return warn(`${shown}: above ${MAX_SKEW_MS} ms`, 'synchronise this machine’s clock (NTP)');
}
