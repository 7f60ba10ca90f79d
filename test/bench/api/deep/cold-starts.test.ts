import { expect, test } from '@jest/globals';
import { buildBundles } from '../../../../bench/api/bundles.ts';
import { benchColdStarts } from '../../../../bench/api/cold-starts.ts';
import { bundleProcesses } from '../../../../bench/bundle.ts';
import { freshDatabase, ownRedis, ownWorkspace } from '../../../support/servers.ts';

test('a start whose first answer is not 200 is refused', async () => {
  const [workspace, redis, database] = await Promise.all([ownWorkspace(), ownRedis(), freshDatabase()]);
  const { coldStart } = await bundleProcesses(workspace, { coldStart: 'bench/api/cold-start.ts' });
  const starts = benchColdStarts(workspace, {
    file: coldStart,
    bundles: buildBundles(),
    rounds: 1,
    redisUrl: redis.url,
    // Without a schema.
    databaseUrl: database.url,
  });
  await expect(starts).rejects.toThrow(/the process of api ended[\s\S]*the first answer is 5/);
});
