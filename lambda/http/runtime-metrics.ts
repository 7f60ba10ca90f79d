import type { CacheMetrics } from '../cache/metrics.ts';
import { METRICS } from '../contract/metrics.ts';
import { type Figure, MAX_VALUES, type Metrics } from '../telemetry/metrics.ts';

/** A line costs as much as one of the log: that of a request would cost more than the request. */
const INTERVAL_MS = 10_000;

export interface RuntimeMetricsOptions {
  readonly metrics: Pick<Metrics, 'record' | 'recordByVersion'>;
  /** What the cache has counted since the process began. */
  readonly reads: () => Pick<CacheMetrics, 'hits' | 'misses'>;
  /** The wall clock, in milliseconds: a frozen sandbox's other one stands still. */
  readonly now?: () => number;
}

export interface RuntimeMetrics {
  /** A statement took so many milliseconds. */
  databaseTook(ms: number): void;
  /** A connection to Redis could not be opened, or was lost. */
  redisFailed(): void;
  /** The API has answered a status above 499. */
  serverFailed(): void;
  /**
   * Records what has come together, once the last line is 10 s old: what a process has left when it goes is lost. Failures at once,
   * since a canary is judged by its few requests; a connection fails every 2 s at the most.
   */
  requestEnded(): void;
}

/** Hits, misses, database latency and failures of this process, put together over many requests. */
export function createRuntimeMetrics(options: RuntimeMetricsOptions): RuntimeMetrics {
  const { metrics, reads, now = Date.now } = options;
  let recordedAt = Number.NEGATIVE_INFINITY;
  let recorded = { hits: 0, misses: 0 };
  let latencies: number[] = [];
  let statements = 0;
  let failures = { serverErrors: 0, redisConnectionFailures: 0 };

  const recordFailures = () => {
    const names = ['serverErrors', 'redisConnectionFailures'] as const;
    const seen = names.filter((name) => failures[name] > 0);
    metrics.recordByVersion(
      seen.map((name) => ({ name: METRICS[name], unit: 'Count', values: [failures[name]] })),
    );
    failures = { serverErrors: 0, redisConnectionFailures: 0 };
  };

  return {
    databaseTook(ms) {
      // Each with the same chance to be among those that a line can hold (Algorithm R).
      statements += 1;
      const place = latencies.length < MAX_VALUES ? latencies.length : Math.floor(Math.random() * statements);
      if (place < MAX_VALUES) latencies[place] = ms;
    },
    redisFailed() {
      failures.redisConnectionFailures += 1;
    },
    serverFailed() {
      failures.serverErrors += 1;
    },
    requestEnded() {
      recordFailures();
      const at = now();
      if (at - recordedAt < INTERVAL_MS) return;
      const { hits, misses } = reads();
      const [newHits, newMisses] = [hits - recorded.hits, misses - recorded.misses];
      const figures: Figure[] = [];
      if (newHits + newMisses > 0) {
        figures.push(
          { name: METRICS.cacheHits, unit: 'Count', values: [newHits] },
          { name: METRICS.cacheMisses, unit: 'Count', values: [newMisses] },
        );
      }
      if (statements > 0) {
        figures.push({ name: METRICS.databaseLatency, unit: 'Milliseconds', values: latencies });
      }
      if (figures.length === 0) return;
      [recordedAt, recorded, latencies, statements] = [at, { hits, misses }, [], 0];
      metrics.record(figures);
    },
  };
}
