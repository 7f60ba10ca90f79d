import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { bundleProcesses } from '../../../bench/bundle.ts';
import type { BystanderTasks } from '../../../bench/flush/bystander.ts';
import { startWorker } from '../../../bench/workers.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis, ownWorkspace } from '../../support/servers.ts';

const PAUSE_MS = 300;

test('waits from when a read was due, and not from when it was sent', async () => {
  const [workspace, { url }] = await Promise.all([ownWorkspace(), ownRedis()]);
  const redis = await lookInto(url);
  const { bystander: file } = await bundleProcesses(workspace, { bystander: 'bench/flush/bystander.ts' });
  const bystander = await startWorker<BystanderTasks>(workspace, {
    ...{ name: 'bystander', file },
    environment: { REDIS_URL: url },
  });
  await bystander.ask('begin', undefined);
  await redis.send(['CLIENT', 'PAUSE', String(PAUSE_MS), 'ALL']);
  await sleep(PAUSE_MS);
  const { p50Ms, maxMs } = await bystander.ask('end', undefined);
  await bystander.end();
  expect(maxMs).toBeGreaterThan(PAUSE_MS * 0.8);
  // Those that became due during the pause waited for what was left of it: the half, in the middle.
  expect(p50Ms).toBeGreaterThan(PAUSE_MS * 0.1);
  expect(p50Ms).toBeLessThan(maxMs * 0.9);
});
