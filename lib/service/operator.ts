import type { Construct } from 'constructs';
import { OPERATOR_TIMEOUT_SECONDS } from '../../lambda/contract/operator.ts';
import type { EndpointsOf } from '../data/endpoint.ts';
import { cachedSettings } from './cached-settings.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';

interface OperatorProps {
  readonly platform: FunctionPlatform;
  /** The cache by the user of a flush, by one who only reads, and by the API's; the database by the functions' role. */
  readonly endpoints: EndpointsOf<'operator'>;
}

/**
 * The function that does inside the VPC what the command line asks for with `--stage`, and the scheduled flush each day. Who may
 * invoke it is for IAM to say. It deletes as a user of the Redis who may no more than flush; what it asks as the API's user, for the
 * doctor and to explain a key, changes nothing.
 */
export class Operator extends CutoverFunction<'operator'> {
  constructor(scope: Construct, id: string, { platform, endpoints }: OperatorProps) {
    const { stage } = platform;
    super(scope, id, {
      platform,
      name: 'operator',
      description:
        'Flushes, counts, cleans up or explains the keys of the cache, and examines the stage, as operators ask',
      settings: {
        ...cachedSettings(stage),
        DRY_RUN: String(stage.flush.dryRun),
      },
      endpoints,
      timeoutSeconds: OPERATOR_TIMEOUT_SECONDS,
    });
  }
}
