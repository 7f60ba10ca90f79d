import { type EnvironmentOf, PHASE_SWITCHES } from '../../lambda/contract/environment.ts';
import type { Endpoints } from '../data/endpoint.ts';
import type { StageConfig } from '../stages.ts';
import { REDIS_SETTINGS } from './cutover-function.ts';

/** The settings of the API, and of whatever has to read and fill the same keys. */
export function cachedSettings(stage: StageConfig): Omit<EnvironmentOf<'api'>, keyof Endpoints> {
  return {
    NODE_ENV: stage.nodeEnv,
    ...PHASE_SWITCHES[stage.phase],
    ...REDIS_SETTINGS,
    CW_CACHE_EPOCHS_ENABLED: stage.epochs ? '1' : '0',
    // No store of rate limits uses it yet.
    CW_RL_PREFIX_ENABLED: '0',
    CACHE_MODE: stage.cacheMode,
    LOG_LEVEL: stage.logLevel,
  };
}
