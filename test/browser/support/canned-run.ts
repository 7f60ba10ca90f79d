import type { BackendName, BackendSample, Mark, Sample } from '../../../rehearsal/console/contract.ts';
import { type Random, seededRandom } from '../../../rehearsal/random.ts';

/** When the canned rehearsal began. */
export const STARTED_AT = Date.UTC(2026, 4, 20, 9, 30, 0);

/** Its stages, in seconds since the beginning. */
export const STAGES = [
  { percent: 5, flushAt: 6, weightAt: 9, judgedAt: 25 },
  { percent: 25, flushAt: 26, weightAt: 29, judgedAt: 45 },
  { percent: 50, flushAt: 46, weightAt: 49, judgedAt: 65 },
  { percent: 100, flushAt: 66, weightAt: 69, judgedAt: 85 },
] as const;
export const TOTAL_SECONDS = 90;

export const timeOf = (second: number) => STARTED_AT + second * 1000;

/** What the run looks like second by second, the same each time. */
export function cannedSamples(seconds: number, backAt: number): readonly Sample[] {
  const random = seededRandom(7);
  return Array.from({ length: seconds }, (_, second) => {
    const percent = percentAt(second, backAt);
    return {
      ...{ at: timeOf(second), spanMs: 1000, fallbacks: 0 },
      backends: {
        legacy: backend({ namespace: 'K', percent: 100 - percent, coldFor: sinceFlush(second), random }),
        serverless: backend({ namespace: 'v2:', percent, coldFor: sinceFlush(second), random }),
      },
    };
  });
}

/** Flushes, weights, and the way back, up to now. */
export function cannedMarks(seconds: number, backAt: number): readonly Mark[] {
  const all = STAGES.flatMap(({ percent, flushAt, weightAt }): Mark[] => [
    { at: timeOf(flushAt), kind: 'flush', text: `${100 + percent * 4} deleted, 480 preserved` },
    { at: timeOf(weightAt), kind: 'weight', text: `serverless ${percent} %` },
  ]);
  const marks = all.filter(({ at }) => at <= timeOf(Math.min(seconds, backAt)));
  if (seconds < backAt) return marks;
  return [
    ...marks,
    { at: timeOf(backAt - 6), kind: 'fault', text: 'mirror switched off' },
    { at: timeOf(backAt), kind: 'back', text: 'serverless 0 %' },
  ];
}

export const percentAt = (second: number, backAt: number): number =>
  second >= backAt ? 0 : (STAGES.findLast(({ weightAt }) => weightAt <= second)?.percent ?? 0);

const sinceFlush = (second: number) =>
  second - (STAGES.findLast(({ flushAt }) => flushAt <= second)?.flushAt ?? 0);

interface BackendOptions {
  readonly namespace: BackendSample['namespace'];
  /** Of the traffic. */
  readonly percent: number;
  /** Seconds since its entries were deleted. */
  readonly coldFor: number;
  readonly random: Random;
}

function backend({ namespace, percent, coldFor, random }: BackendOptions): BackendSample {
  const requests = Math.round(percent * 6.4 * (0.94 + random() * 0.12));
  const reads = Math.round(requests * 0.62);
  const hits = Math.round(reads * (0.93 - 0.55 * Math.exp(-coldFor / 2.5)) * (0.98 + random() * 0.02));
  const p50Ms = 1.4 + random() * 0.5 + 3 * Math.exp(-coldFor / 2);
  return {
    ...{ namespace, requests, hits, errors: 0, misses: reads - hits },
    p50Ms: hits > 0 ? Math.round(p50Ms * 100) / 100 : null,
    p95Ms: hits > 0 ? Math.round(p50Ms * (2.4 + random()) * 100) / 100 : null,
  };
}

export const requestsOf = (samples: readonly Sample[]): number =>
  samples.reduce(
    (total, { backends }) =>
      total +
      (['legacy', 'serverless'] as const satisfies BackendName[]).reduce(
        (sum, name) => sum + (backends[name].requests ?? 0),
        0,
      ),
    0,
  );
