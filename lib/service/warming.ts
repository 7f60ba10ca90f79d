import { Duration } from 'aws-cdk-lib';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import type { Endpoints } from '../data/endpoint.ts';
import { cachedSettings } from './cached-settings.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';

/** Above all attempts of the function together, each with its database silent. */
const TIMEOUT_SECONDS = 60;

interface WarmingProps {
  readonly platform: FunctionPlatform;
  readonly endpoints: Endpoints;
}

/**
 * Warms the cache during the deployment, whenever the function changes: its code and its settings decide which keys are
 * read, so that as long as they stay, the traffic keeps the cache warm. To be run before the alias moves.
 */
export class Warming extends Construct {
  readonly trigger: Trigger;

  constructor(scope: Construct, id: string, { platform, endpoints }: WarmingProps) {
    super(scope, id);
    const fn = new CutoverFunction<'warm'>(this, 'Function', {
      platform,
      name: 'warm',
      description: 'Fills the cache with the feature flags, once a deployment that changes its keys',
      settings: cachedSettings(platform.stage),
      endpoints,
      timeoutSeconds: TIMEOUT_SECONDS,
    });
    this.trigger = new Trigger(this, 'Trigger', {
      handler: fn,
      timeout: Duration.seconds(TIMEOUT_SECONDS),
    });
  }
}
