import { beforeAll, describe, expect, test } from '@jest/globals';
import { buildBundles } from '../../../../bench/api/bundles.ts';
import { seedFlags } from '../../../../bench/api/flags.ts';
import { type Host, startHosts } from '../../../../bench/api/hosts.ts';
import type { LoadTasks } from '../../../../bench/api/load.ts';
import { flagPath } from '../../../../bench/api/paths.ts';
import type { ContenderName } from '../../../../bench/api/rows.ts';
import { bundleProcesses } from '../../../../bench/bundle.ts';
import { startWorker, type Worker } from '../../../../bench/workers.ts';
import { createPool } from '../../../../lambda/database/pool.ts';
import { freshDatabase, ownRedis, ownWorkspace } from '../../../support/servers.ts';

let servers: { redisUrl: string; databaseUrl: string };
let load: Worker<LoadTasks>;
let hosts: readonly Host[];

beforeAll(async () => {
  const [workspace, redis, database] = await Promise.all([ownWorkspace(), ownRedis(), freshDatabase()]);
  servers = { redisUrl: redis.url, databaseUrl: database.url };
  await seedFlags(servers.databaseUrl);
  const files = await bundleProcesses(workspace, {
    host: 'rehearsal/host/main.ts',
    load: 'bench/api/load.ts',
  });
  load = await startWorker<LoadTasks>(workspace, { name: 'load', file: files.load });
  hosts = await startHosts(workspace, { file: files.host, bundles: buildBundles(), ...servers });
}, 60_000);

const hostOf = (name: ContenderName): Host => {
  const host = hosts.find((each) => each.name === name);
  if (!host) throw new Error(`no host ${name}`);
  return host;
};

/** Reads for a moment. */
const read = ({ url }: Host, outcome: string | null) =>
  load.ask('read', { url, connections: 2, durationMs: 20, outcome });

const descriptionAt = async ({ url }: Host) =>
  ((await (await fetch(url + flagPath(0))).json()) as { description: string }).description;

describe('answers that are not what should be measured are refused', () => {
  test.each<[ContenderName, string | null, string]>([
    ['uncached', 'hit', 'x-cache: hit, such as 200 with x-cache: bypass'],
    ['bare', 'hit', 'x-cache: hit, such as 200 with x-cache: null'],
    ['cached', null, 'x-cache: null, such as 200 with x-cache: hit'],
  ])('%s as %s', async (name, outcome, complaint) => {
    await expect(read(hostOf(name), outcome)).rejects.toThrow(complaint);
  });
});

test('each contender answers what it is there for', async () => {
  for (const host of hosts) await expect(read(host, host.outcome)).resolves.toBeDefined();
});

test('the cached reads are from the cache, and the uncached ones from the database', async () => {
  await read(hostOf('cached'), 'hit');
  // Nobody dispatches what the trigger writes into the outbox, so that only who queries learns of it.
  const pool = createPool({ url: servers.databaseUrl, applicationName: 'test' });
  await pool.query(`UPDATE feature_flags SET description = 'changed by hand'`);
  await pool.end();
  expect(await descriptionAt(hostOf('uncached'))).toBe('changed by hand');
  expect(await descriptionAt(hostOf('cached'))).toBe('Measured by the bench');
});
