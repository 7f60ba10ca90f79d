import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { REPLAY_LOCK } from '../../../lambda/outbox/replay.ts';
import { lookInto } from '../../support/redis.ts';
import { type Backend, backends, type Outage } from './backends.ts';

const RESTARTS = 20;

let outage: Outage;
let redis: Awaited<ReturnType<typeof lookInto>>;

beforeAll(async () => {
  outage = await backends();
  redis = await lookInto(outage.server.url);
});

const USER = 'alice';
const K = `mocs:user:${USER}:list`;

/** Both entries and the mark are in the snapshot, and what the write then removes comes back with it. */
async function writeBetweenSnapshotAndRestart(writer: Backend): Promise<number> {
  const { server, runtime, legacy } = outage;
  while (Number(await redis.send(['EXISTS', K, `v2:${K}`])) < 2) {
    await Promise.all([runtime.read(USER), legacy.read(USER)]);
    await sleep(5);
  }
  await redis.send(['SAVE']);
  const { version, invalidation } = await writer.write(USER);
  expect(invalidation).toBe('done');
  await server.kill('SIGKILL');
  await server.restart();
  return version;
}

async function readFor(milliseconds: number, backend: Backend): Promise<number> {
  let oldest = Number.POSITIVE_INFINITY;
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    oldest = Math.min(oldest, await backend.read(USER));
    await sleep(1);
  }
  return oldest;
}

test(`${RESTARTS} restarts from a snapshot of before the last UNLINKs: no read is stale, by either backend`, async () => {
  const { runtime, legacy } = outage;
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    const version = await writeBetweenSnapshotAndRestart(restart % 2 ? runtime : legacy);
    const oldest = await Promise.all([readFor(250, runtime), readFor(250, legacy)]);
    expect(oldest).toEqual([version, version]);
  }
}, 120_000);

test('who reads a Redis as if it had not been restarted is stale', async () => {
  // Nobody else may replay before this reads.
  const replayer = await outage.database.connect();
  await replayer.query('SELECT pg_advisory_lock($1)', [REPLAY_LOCK]);
  try {
    const version = await writeBetweenSnapshotAndRestart(outage.legacy);
    expect(await readFor(250, outage.ungated)).toBeLessThan(version);
  } finally {
    replayer.release(true);
  }
});
