import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Backend } from './checker.ts';

/** One answered request. */
export interface Observation {
  readonly backend: Backend;
  readonly status: number;
  readonly latencyMs: number;
  /** From `x-cache`; undefined for a write or an error. */
  readonly cache: 'hit' | 'miss' | 'bypass' | undefined;
}

export interface Rate {
  readonly reads: number;
  readonly hits: number;
}

/** A point in the run to count from. */
export interface Mark {
  readonly requests: number;
  readonly errors: number;
  readonly reads: number;
}

export interface Recorder {
  record(observation: Observation): void;
  readonly requests: number;
  readonly errors5xx: number;
  /** Where the run is now. */
  mark(): Mark;
  /** The serverless backend's reads since the time, or its last `atLeast` since the mark when these are more. */
  rateSince(atMs: number, window?: { readonly atLeast: number; readonly since: Mark }): Rate;
  /** The same over the last `count` reads; undefined while there are fewer since the mark. */
  trailingRate(count: number, since: Mark): number | undefined;
  /** p95 of hits by backend since `restartLatencies`; undefined where there was none. */
  hitP95Ms(): Record<Backend, number | undefined>;
  restartLatencies(): void;
  /** Requests by backend since the last call. */
  takeShares(): Record<Backend, number>;
}

const timeOf = (read: number): number => (read >= 0 ? read : -1 - read);

/** Counts what the users see. The serverless backend's reads are kept in order, so that any window can be asked for. */
export function createRecorder(): Recorder {
  /** When each was, and of one that missed `-1 -` that: a number each, for a run may last a day. */
  const reads: number[] = [];
  const histograms: Record<Backend, RecordableHistogram> = {
    express: createHistogram(),
    serverless: createHistogram(),
  };
  const counts = { requests: 0, errors: 0 };
  let shares = { express: 0, serverless: 0 };
  const rateOf = (some: typeof reads): Rate => ({
    reads: some.length,
    hits: some.filter((read) => read >= 0).length,
  });

  return {
    get requests() {
      return counts.requests;
    },
    get errors5xx() {
      return counts.errors;
    },
    record({ backend, status, latencyMs, cache }) {
      counts.requests += 1;
      shares[backend] += 1;
      if (status >= 500) counts.errors += 1;
      if (cache === 'hit') histograms[backend].record(Math.max(1, Math.round(latencyMs * 1000)));
      if (!cache || backend !== 'serverless') return;
      const at = performance.now();
      reads.push(cache === 'hit' ? at : -1 - at);
    },
    mark: () => ({ ...counts, reads: reads.length }),
    rateSince(atMs, { atLeast, since } = { atLeast: 0, since: { requests: 0, errors: 0, reads: 0 } }) {
      let from = reads.length;
      while (from > 0 && timeOf(reads[from - 1] ?? 0) >= atMs) from -= 1;
      return rateOf(reads.slice(Math.max(since.reads, Math.min(from, reads.length - atLeast))));
    },
    trailingRate(count, since) {
      if (reads.length - since.reads < count) return undefined;
      return rateOf(reads.slice(-count)).hits / count;
    },
    hitP95Ms() {
      const p95 = (histogram: RecordableHistogram) =>
        histogram.count === 0 ? undefined : Math.round(histogram.percentile(95) / 10) / 100;
      return { express: p95(histograms.express), serverless: p95(histograms.serverless) };
    },
    restartLatencies() {
      for (const histogram of Object.values(histograms)) histogram.reset();
    },
    takeShares() {
      const taken = shares;
      shares = { express: 0, serverless: 0 };
      return taken;
    },
  };
}
