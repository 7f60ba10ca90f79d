import { BACKENDS, type BackendName, type BackendSample, type Sample } from '../contract.ts';

/** A line of a chart, with a value for each sample; null where there was nothing to measure. */
export interface Line {
  readonly label: string;
  /** Null where it is of both. */
  readonly backend: BackendName | null;
  /** Thin: beside another line of the same backend. */
  readonly thin: boolean;
  readonly values: readonly (number | null)[];
}

/** Reads in one second are too few for a rate: it is of those of the last five. */
export const HIT_RATE_OVER_MS = 5000;

/** Requests a second, by backend. */
export const requestLines = (samples: readonly Sample[]): readonly Line[] =>
  BACKENDS.map((backend) => ({
    ...{ label: backend, backend, thin: false },
    values: samples.map((sample) => perSecond(sample.backends[backend].requests, sample.spanMs)),
  }));

/** In percent, by backend and the namespace that it read. */
export const hitRateLines = (samples: readonly Sample[]): readonly Line[] =>
  BACKENDS.flatMap((backend) => {
    const namespaces = new Set(samples.map((sample) => sample.backends[backend].namespace));
    return [...namespaces].map((namespace, index) => ({
      ...{ label: `${backend} (${namespace})`, backend, thin: index > 0 },
      values: hitRates(samples, (sample) =>
        sample.backends[backend].namespace === namespace ? sample.backends[backend] : undefined,
      ),
    }));
  });

/** p95 and p50 of reads answered from the cache, in milliseconds, by backend. */
export const latencyLines = (samples: readonly Sample[]): readonly Line[] =>
  BACKENDS.flatMap((backend) =>
    (['p95Ms', 'p50Ms'] as const).map((percentile) => ({
      ...{ label: `${backend} ${percentile.slice(0, 3)}`, backend, thin: percentile === 'p50Ms' },
      values: samples.map((sample) => sample.backends[backend][percentile]),
    })),
  );

/** Reads a second that only an un-prefixed key answered; none where there was never one. */
export const fallbackLines = (samples: readonly Sample[]): readonly Line[] =>
  samples.some(({ fallbacks }) => fallbacks > 0)
    ? [
        {
          ...{ label: 'fallbacks', backend: null, thin: false },
          values: samples.map(({ fallbacks, spanMs }) => perSecond(fallbacks, spanMs)),
        },
      ]
    : [];

const perSecond = (value: number | null, spanMs: number): number | null =>
  value === null ? null : value / (spanMs / 1000);

function hitRates(
  samples: readonly Sample[],
  of: (sample: Sample) => BackendSample | undefined,
): (number | null)[] {
  let [oldest, hits, reads] = [0, 0, 0];
  const add = (sample: Sample | undefined, sign: 1 | -1) => {
    const found = sample && of(sample);
    hits += sign * (found?.hits ?? 0);
    reads += sign * ((found?.hits ?? 0) + (found?.misses ?? 0));
  };
  return samples.map((sample) => {
    add(sample, 1);
    for (; (samples[oldest]?.at ?? sample.at) <= sample.at - HIT_RATE_OVER_MS; oldest += 1) {
      add(samples[oldest], -1);
    }
    return of(sample) && reads > 0 ? (hits / reads) * 100 : null;
  });
}
