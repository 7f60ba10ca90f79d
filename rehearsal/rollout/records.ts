import type { Weights } from '../../lambda/contract/rollout.ts';
import { shareOf } from '../../lambda/rollout/cursor.ts';
import type { TrafficRecords } from '../../lambda/rollout/traffic.ts';

/** What stands for Route 53. */
export interface WeightedRouter {
  /** The serverless backend's share, in percent. */
  weightPercent: number;
}

/** The two weighted records as the router follows them: it knows their shares only. */
export function routerRecords(router: WeightedRouter): TrafficRecords {
  let weights: Weights = { legacy: 100 - router.weightPercent, serverless: router.weightPercent };
  return {
    read: async () => weights,
    async set(changed) {
      weights = { ...weights, ...changed };
      router.weightPercent = shareOf(weights);
    },
  };
}
