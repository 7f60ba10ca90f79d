import type { Backend } from './checker.ts';
import type { Observation } from './recorder.ts';

/** What a backend did in a span of time. */
export interface BackendSpan {
  readonly requests: number;
  readonly errors: number;
  readonly hits: number;
  readonly misses: number;
  /** Of reads answered from the cache, in milliseconds; null where there was none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface Span {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly spanMs: number;
  readonly backends: Readonly<Record<Backend, BackendSpan>>;
  /** Reads, of those that look for them, that only an un-prefixed key could answer. */
  readonly fallbacks: number;
}

/** What happened when: second by second, and coarser the longer it lasts. */
export interface Timeline {
  record(observation: Observation): void;
  fellBack(count: number): void;
  /** Oldest first; with the one that is not over yet. */
  spans(): readonly Span[];
}

export interface TimelineOptions {
  /** Default: 1 s. */
  readonly spanMs?: number;
  /** Above that many, neighbours are merged, and spans last twice as long. Default: an hour of seconds. */
  readonly maxSpans?: number;
  readonly now?: () => number;
}

const BACKENDS = ['express', 'serverless'] as const;

/** Counts observations span by span, in bounded memory. */
export function createTimeline(options: TimelineOptions = {}): Timeline {
  const { maxSpans = 3600, now = Date.now } = options;
  let { spanMs = 1000 } = options;
  let closed: Span[] = [];
  let open: Open | undefined;

  const close = (at: number) => {
    if (!open || at < open.at + spanMs) return;
    append(closed, spanOf(open, spanMs));
    open = undefined;
    if (closed.length < maxSpans) return;
    spanMs *= 2;
    closed = mergeNeighbours(closed, spanMs);
  };

  const current = (): Open => {
    const at = now();
    close(at);
    open ??= openAt(Math.floor(at / spanMs) * spanMs);
    return open;
  };

  return {
    fellBack(count) {
      current().fallbacks += count;
    },
    record({ backend, status, latencyMs, cache }) {
      const counts = current().backends[backend];
      counts.requests += 1;
      if (status > 499) counts.errors += 1;
      if (cache === 'miss') counts.misses += 1;
      if (cache === 'hit') {
        counts.hits += 1;
        counts.latencies.push(latencyMs);
      }
    },
    spans() {
      close(now());
      return open ? append([...closed], spanOf(open, spanMs)) : closed;
    },
  };
}

interface Counts {
  requests: number;
  errors: number;
  hits: number;
  misses: number;
  readonly latencies: number[];
}

interface Open {
  readonly at: number;
  readonly backends: Readonly<Record<Backend, Counts>>;
  fallbacks: number;
}

const openAt = (at: number): Open => ({
  at,
  backends: { express: none(), serverless: none() },
  fallbacks: 0,
});
const none = (): Counts => ({ requests: 0, errors: 0, hits: 0, misses: 0, latencies: [] });

const spanOf = ({ at, backends, fallbacks }: Open, spanMs: number): Span => ({
  ...{ at, spanMs, fallbacks },
  backends: ofEach((backend) => {
    const { latencies, ...counts } = backends[backend];
    const sorted = latencies.toSorted((one, other) => one - other);
    return { ...counts, p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) };
  }),
});

/** By nearest rank. */
function percentile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.ceil(sorted.length * share) - 1];
  return value === undefined ? null : Math.round(value * 100) / 100;
}

/** Two and two that lie in one span of the new length. */
const mergeNeighbours = (spans: readonly Span[], spanMs: number): Span[] =>
  spans.reduce<Span[]>(
    (merged, span) => append(merged, { ...span, at: Math.floor(span.at / spanMs) * spanMs, spanMs }),
    [],
  );

/** The first span after a merge may lie in the last one before it. */
function append(spans: Span[], span: Span): Span[] {
  const last = spans.at(-1);
  if (last?.at === span.at)
    spans.splice(-1, 1, {
      ...span,
      backends: ofEach((backend) => sum(last, span, backend)),
      fallbacks: last.fallbacks + span.fallbacks,
    });
  else spans.push(span);
  return spans;
}

function sum(one: Span, other: Span, backend: Backend): BackendSpan {
  const [a, b] = [one.backends[backend], other.backends[backend]];
  const latency = (of: 'p50Ms' | 'p95Ms') => mean([a[of], a.hits], [b[of], b.hits]);
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    hits: a.hits + b.hits,
    misses: a.misses + b.misses,
    ...{ p50Ms: latency('p50Ms'), p95Ms: latency('p95Ms') },
  };
}

/** By how many they are of: a percentile of both together is not kept. */
function mean(...parts: readonly (readonly [value: number | null, weight: number])[]): number | null {
  const known = parts.flatMap(([value, weight]) =>
    value === null || weight === 0 ? [] : [[value, weight] as const],
  );
  const weight = known.reduce((total, [, each]) => total + each, 0);
  if (weight === 0) return null;
  return Math.round((known.reduce((total, [value, each]) => total + value * each, 0) / weight) * 100) / 100;
}

const ofEach = <T>(make: (backend: Backend) => T): Record<Backend, T> =>
  Object.fromEntries(BACKENDS.map((backend) => [backend, make(backend)])) as Record<Backend, T>;
