import type { Cache } from '../cache/cache.ts';
import { METRICS } from '../contract/metrics.ts';
import type { Database } from '../database/pool.ts';
import type { Writes } from '../outbox/writes.ts';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { rememberLastGood } from './last-good.ts';
import { createFlags, type Flags } from './service.ts';

/** What the flags of a process are made of. */
export interface FlagsParts {
  /** Which environment's flags. */
  readonly environment: string;
  readonly cache: Pick<Cache, 'resolve'>;
  readonly database: Database;
  readonly writes: Writes;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The flags, with the last good value behind them; how many there are is counted whenever all of them are loaded. */
export function wireFlags({ cache, logger, metrics, ...parts }: FlagsParts): Flags {
  return createFlags({
    ...parts,
    resolve: rememberLastGood({
      cache,
      onError: (error) => logger.warn('flags not read', errorFields(error)),
    }),
    onCount: (count) => metrics.count(METRICS.flagCount, count),
  });
}
