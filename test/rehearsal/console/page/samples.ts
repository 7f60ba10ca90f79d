import type { BackendSample, Sample } from '../../../../rehearsal/console/contract.ts';

/** A sample of a second; what is given is of the serverless backend. */
export function sampleOf({
  at = 0,
  spanMs = 1000,
  fallbacks = 0,
  ...serverless
}: Partial<BackendSample & Omit<Sample, 'backends'>> = {}): Sample {
  const none = { requests: 0, errors: 0, hits: 0, misses: 0, p50Ms: null, p95Ms: null };
  return {
    ...{ at, spanMs, fallbacks },
    backends: {
      legacy: { ...none, namespace: 'K' },
      serverless: { ...none, namespace: 'v2:', ...serverless },
    },
  };
}
