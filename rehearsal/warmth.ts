import { GATE } from '../lambda/rollout/gates.ts';
import {
  AFTER_SHARE,
  CW_WEIGHT_PERCENT,
  READ_SHARE,
  REQUESTS_PER_SECOND,
  type RehearsalOptions,
  stageSeconds,
  WAIT_SHARE,
} from './options.ts';
import { STEP_COUNT } from './phase-steps.ts';
import type { Population } from './population.ts';

/**
 * The hit rate to expect at the end of the first stage, when caches have had the least traffic to fill them. Each
 * device reads a key at its share of the rate; a key is warm once it was read, and cold again after a write.
 */
export function expectedHitRate(options: RehearsalOptions, { targets }: Population): number {
  const { seconds } = firstOf(options);
  const warmingSeconds = seconds * (1 - WAIT_SHARE - AFTER_SHARE / 2);
  const expected = targets.map(({ share }) => {
    const readsPerSecond = share * REQUESTS_PER_SECOND * (READ_SHARE / 2);
    const writesPerSecond = share * REQUESTS_PER_SECOND * (1 - READ_SHARE);
    const warm = 1 - Math.exp(-readsPerSecond * warmingSeconds);
    return share * warm * (readsPerSecond / (readsPerSecond + writesPerSecond));
  });
  return expected.reduce((sum, each) => sum + each, 0);
}

/** The first stage, or step. */
function firstOf(options: RehearsalOptions): { readonly seconds: number; readonly weightPercent: number } {
  if (options.migration === 'cw') {
    return { seconds: options.seconds / STEP_COUNT, weightPercent: CW_WEIGHT_PERCENT };
  }
  const [seconds = 0] = stageSeconds(options);
  const [weightPercent = 0] = options.stages;
  return { seconds, weightPercent };
}

/** How many reads of the serverless backend the gate can look at in the first stage. */
export function expectedReads(options: RehearsalOptions, { targets }: Population): number {
  const { seconds, weightPercent } = firstOf(options);
  const moved = targets.map(
    ({ share, devices }) =>
      (share * devices.filter(({ draw }) => draw * 100 < weightPercent).length) / devices.length,
  );
  const share = moved.reduce((sum, each) => sum + each, 0);
  return share * REQUESTS_PER_SECOND * READ_SHARE * seconds * (1 - WAIT_SHARE);
}

/** What lets a run fail whatever the cache does: too few reads to judge, or too many keys to warm. */
export function warningsOf(options: RehearsalOptions, population: Population): string[] {
  const { users, seconds } = options;
  const reads = expectedReads(options, population);
  const hitRate = expectedHitRate(options, population);
  const warnings = [
    reads < GATE.minReads &&
      `expect ${Math.round(reads)} reads by the serverless backend in the first stage, where the gate wants ` +
        `${GATE.minReads}; take more --seconds, a larger first stage or another --seed`,
    // As far above the gate as chance may bring it over the reads that the gate looks at.
    hitRate <= GATE.minHitRate + 0.02 &&
      `${users} users are more than ${seconds} s can warm: expect a hit rate of ${hitRate.toFixed(2)} at the end of ` +
        `the first stage, where the gate wants ${GATE.minHitRate}; take fewer --users or more --seconds`,
  ];
  return warnings.filter((warning) => warning !== false);
}
