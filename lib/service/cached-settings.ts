import {
  type EndpointVariable,
  type EnvironmentOf,
  PHASE_SWITCHES,
} from '../../lambda/contract/environment.ts';
import type { StageConfig } from '../stages.ts';

/** The settings of the API, and of whatever has to read and fill the same keys. */
export function cachedSettings(stage: StageConfig): Omit<EnvironmentOf<'api'>, EndpointVariable> {
  return {
    NODE_ENV: stage.nodeEnv,
    ...PHASE_SWITCHES[stage.phase],
    CW_CACHE_EPOCHS_ENABLED: stage.epochs ? '1' : '0',
    CW_RL_PREFIX_ENABLED: stage.rateLimitsPrefixed ? '1' : '0',
    CACHE_MODE: stage.cacheMode,
    LOG_LEVEL: stage.logLevel,
  };
}
