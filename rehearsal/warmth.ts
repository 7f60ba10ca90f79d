import { GATE } from '../lambda/rollout/gates.ts';
import {
  AFTER_SHARE,
  READ_SHARE,
  REQUESTS_PER_SECOND,
  type RehearsalOptions,
  stageSeconds,
  WAIT_SHARE,
} from './options.ts';
import type { Population } from './population.ts';

/**
 * The hit rate to expect at the end of the first stage, when caches have had the least traffic to fill them. Each
 * device reads a key at its share of the rate; a key is warm once it was read, and cold again after a write.
 */
export function expectedHitRate(options: RehearsalOptions, { targets }: Population): number {
  const [seconds = 0] = stageSeconds(options);
  const warmingSeconds = seconds * (1 - WAIT_SHARE - AFTER_SHARE / 2);
  const expected = targets.map(({ share }) => {
    const readsPerSecond = share * REQUESTS_PER_SECOND * (READ_SHARE / 2);
    const writesPerSecond = share * REQUESTS_PER_SECOND * (1 - READ_SHARE);
    const warm = 1 - Math.exp(-readsPerSecond * warmingSeconds);
    return share * warm * (readsPerSecond / (readsPerSecond + writesPerSecond));
  });
  return expected.reduce((sum, each) => sum + each, 0);
}

/** A warning when the run is too short to warm that many users' keys; undefined when it is not. */
export function coldWarning(options: RehearsalOptions, population: Population): string | undefined {
  const expected = expectedHitRate(options, population);
  // As much below the expectation as chance may bring it over the 200 reads that the gate looks at.
  if (expected > GATE.minHitRate + 0.02) return undefined;
  return (
    `${options.users} users are more than ${options.seconds} s can warm: expect a hit rate of ` +
    `${expected.toFixed(2)} at the end of the first stage, where the gate wants ${GATE.minHitRate}; ` +
    'take fewer --users or more --seconds'
  );
}
