import type { Construct } from 'constructs';
import { OPERATOR_TIMEOUT_SECONDS } from '../../lambda/contract/operator.ts';
import type { EndpointsOf } from '../data/endpoint.ts';
import { cachedSettings } from './cached-settings.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';

interface OperatorProps {
  readonly platform: FunctionPlatform;
  /** By the user of a flush, and by one who only reads. */
  readonly endpoints: EndpointsOf<'operator'>;
}

/**
 * The function that does inside the VPC what the command line asks for with `--stage`, and the scheduled flush each day. Who may
 * invoke it is for IAM to say; it does nothing else than flush, census and cleanup, as users of the Redis who may no more.
 */
export class Operator extends CutoverFunction<'operator'> {
  constructor(scope: Construct, id: string, { platform, endpoints }: OperatorProps) {
    const { stage } = platform;
    const { NODE_ENV, MIGRATION_MODE, CW_CACHE_PREFIX_ENABLED, CW_CACHE_DUAL_WRITE, CW_RL_PREFIX_ENABLED } =
      cachedSettings(stage);
    super(scope, id, {
      platform,
      name: 'operator',
      description: 'Flushes, counts or cleans up the keys of the cache, a turn at a time, as operators ask',
      settings: {
        ...{ NODE_ENV, MIGRATION_MODE, CW_CACHE_PREFIX_ENABLED, CW_CACHE_DUAL_WRITE, CW_RL_PREFIX_ENABLED },
        DRY_RUN: String(stage.flush.dryRun),
        LOG_LEVEL: stage.logLevel,
      },
      endpoints,
      timeoutSeconds: OPERATOR_TIMEOUT_SECONDS,
    });
  }
}
