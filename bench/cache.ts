import os from 'node:os';
import { createClient } from 'redis';
import { withBreaker } from '../lambda/cache/breaker.ts';
import { createCache } from '../lambda/cache/cache.ts';
import { createKeyspace } from '../lambda/cache/keyspace.ts';
import { redisStore } from '../lambda/cache/redis-store.ts';
import { connectRedis } from '../lambda/redis/connection.ts';
import { startRedis } from '../rehearsal/servers/redis.ts';
import type { Workspace } from '../rehearsal/servers/workspace.ts';

/** One measurement: medians of all rounds. */
export interface Row {
  readonly case: 'hit' | 'miss';
  readonly library: string;
  readonly inFlight: number;
  readonly valueBytes: number;
  readonly opsPerSecond: number;
  readonly ratioToRaw: number;
}

export interface CacheBench {
  readonly machine: string;
  readonly date: string;
  readonly rows: readonly Row[];
}

interface Contender {
  readonly library: string;
  hit(key: string): Promise<unknown>;
  /** Reads a key that is not there, and stores what it loads. */
  miss(key: string): Promise<unknown>;
}

const IN_FLIGHT = [1, 50, 500];
const VALUE_BYTES = [200, 10_000];
const KEYS = 1000;
const ROUNDS = 5;
const RAW = 'raw';

/**
 * Measures the runtime beside plain node-redis without its timeout (get, and after a miss set), on one Redis and in one
 * interleaved run: machines differ, ratios hold.
 */
export async function benchCache(workspace: Workspace, onRow: (row: Row) => void): Promise<CacheBench> {
  const { url } = await startRedis(workspace);
  const client = createClient({ url, commandOptions: { timeout: undefined } });
  const connection = connectRedis({ url, name: 'cutover-bench' });
  await Promise.all([client.connect(), connection.ready(5000)]);
  const rows: Row[] = [];
  for (const valueBytes of VALUE_BYTES) {
    const value = { text: 'x'.repeat(valueBytes - 11) };
    const load = async () => value;
    const ours = createCache({
      keyspace: createKeyspace({ phase: 'isolated', env: 'bench' }),
      store: redisStore(withBreaker(connection.send)),
    });
    const contenders: readonly Contender[] = [
      {
        library: RAW,
        hit: async (key) => JSON.parse((await client.get(`v2:${key}`)) ?? 'null'),
        async miss(key) {
          await client.get(`v2:${key}`);
          await client.setEx(`v2:${key}`, 300, JSON.stringify(await load()));
        },
      },
      { library: 'ours', hit: (key) => ours.resolve(key, load), miss: (key) => ours.resolve(key, load) },
    ];
    const warm = keysOf(`warm-${valueBytes}`, KEYS);
    for (const key of warm) await ours.resolve(key, load);
    for (const inFlight of IN_FLIGHT) {
      for (const kind of ['hit', 'miss'] as const) {
        const measured = await interleaved(contenders, async (contender, round) => {
          const count = (inFlight === 1 ? 3000 : 20_000) / (kind === 'miss' ? 4 : 1);
          const keys =
            kind === 'hit' ? warm : keysOf(`${contender.library}-${inFlight}-${valueBytes}-${round}`, count);
          return throughput({
            count,
            inFlight,
            run: (index) => contender[kind](keys[index % keys.length] ?? ''),
          });
        });
        const raw = measured.get(RAW) ?? 1;
        for (const [library, opsPerSecond] of measured) {
          const ratioToRaw = Math.round((opsPerSecond / raw) * 100) / 100;
          const row: Row = { case: kind, library, inFlight, valueBytes, opsPerSecond, ratioToRaw };
          rows.push(row);
          onRow(row);
        }
      }
    }
  }
  client.destroy();
  connection.close();
  const machine = `${os.cpus().length} x ${os.cpus()[0]?.model}, Node ${process.versions.node}`;
  return { machine, date: new Date().toISOString().slice(0, 10), rows };
}

const keysOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `mocs:${name}:${index}`);

/** Runs all contenders in turn, round by round. @returns the median of each. */
async function interleaved(
  contenders: readonly Contender[],
  measure: (contender: Contender, round: number) => Promise<number>,
): Promise<Map<string, number>> {
  const results = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const contender of contenders) {
      const all = results.get(contender.library) ?? [];
      results.set(contender.library, [...all, await measure(contender, round)]);
    }
  }
  return new Map([...results].map(([library, all]) => [library, Math.round(median(all))]));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

interface Load {
  readonly count: number;
  readonly inFlight: number;
  readonly run: (index: number) => Promise<unknown>;
}

/** Operations a second, with so many of them in flight. */
async function throughput({ count, inFlight, run }: Load): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await run(next);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return count / ((performance.now() - begin) / 1000);
}
