import { benchCache } from '../cache.ts';
import { CONTENDERS } from '../contenders/contenders.ts';
import { report } from '../report.ts';
import type { Row } from '../rows.ts';
import { judge } from '../targets.ts';
import { benchCommand } from './command.ts';

export const cacheCommand = benchCommand<Row>({
  name: 'cache',
  description: 'the cache runtime beside raw node-redis, ioredis and other cache libraries',
  effort: { rounds: 7, slotMs: 500 },
  quick: { rounds: 3, slotMs: 300 },
  run: (workspace, options) => benchCache(workspace, { libraries: Object.keys(CONTENDERS), ...options }),
  report,
  judge,
});
