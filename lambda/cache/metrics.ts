/** What happened in this process since it started; `inFlight` and `connections` are of now. */
export interface CacheMetrics {
  readonly hits: number;
  readonly misses: number;
  /** Hits that the legacy key gave, in phase `dual`: at 0 for a while, that key is no longer needed. */
  readonly legacyFallbacks: number;
  /** Reads answered by a load alone, because the store could not or may not be asked. */
  readonly bypasses: number;
  /** Loads whose value was not stored because an invalidation came between. */
  readonly fencedFills: number;
  readonly errors: number;
  /** Loads under a lease of this process. */
  readonly inFlight: number;
  /** Open connections to Redis. */
  readonly connections: number;
}

/** The counters behind the metrics. */
export type Counts = { -readonly [Name in Exclude<keyof CacheMetrics, 'inFlight' | 'connections'>]: number };

/** @param onLegacyFallback told of each, in the tick in which it is counted. */
export function noCounts(onLegacyFallback?: () => void): Counts {
  const counts = { hits: 0, misses: 0, legacyFallbacks: 0, bypasses: 0, fencedFills: 0, errors: 0 };
  if (!onLegacyFallback) return counts;
  let legacyFallbacks = 0;
  return Object.defineProperty(counts, 'legacyFallbacks', {
    enumerable: true,
    get: () => legacyFallbacks,
    set(value: number) {
      legacyFallbacks = value;
      onLegacyFallback();
    },
  });
}
