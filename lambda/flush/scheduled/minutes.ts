export const MINUTE_MS = 60_000;

/** What the runtime's own metrics say of a minute. */
export interface Minute {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly hits: number;
  readonly misses: number;
  /** All samples of the database latency together, in milliseconds, and how many there are. */
  readonly latencyMs: number;
  readonly latencies: number;
}

/** When a flush began and ended, in milliseconds since 1970. */
export interface Span {
  readonly began: number;
  readonly ended: number;
}

/** How a flush divides the minutes around it: those that it touched are neither before nor after. */
export function around(minutes: readonly Minute[], { began, ended }: Span) {
  const [first, last] = [startOfMinute(began), startOfMinute(ended)];
  return {
    before: minutes.filter(({ at }) => at < first),
    during: minutes.filter(({ at }) => at >= first && at <= last),
    after: minutes.filter(({ at }) => at > last),
  };
}

export const startOfMinute = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;

/** Hits of all reads, in percent; undefined without a read. */
export function hitPercent(reads: readonly Pick<Minute, 'hits' | 'misses'>[]): number | undefined {
  const hits = reads.reduce((sum, each) => sum + each.hits, 0);
  const all = reads.reduce((sum, each) => sum + each.hits + each.misses, 0);
  return all === 0 ? undefined : (100 * hits) / all;
}

/** The mean of all samples, in milliseconds; undefined without one. */
export function meanLatencyMs(minutes: readonly Minute[]): number | undefined {
  const latencies = minutes.reduce((sum, each) => sum + each.latencies, 0);
  return latencies === 0 ? undefined : minutes.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / latencies;
}
