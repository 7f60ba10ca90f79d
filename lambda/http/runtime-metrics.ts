import type { BreakerState } from '../cache/breaker.ts';
import type { CacheMetrics } from '../cache/metrics.ts';
import type { Phase } from '../contract/environment.ts';
import { figure, METRICS, namespaceOf, routeOf } from '../contract/metrics.ts';
import { MAX_VALUES, type Metrics } from '../telemetry/metrics.ts';
import { createSample, p95Of, type Sample } from '../telemetry/sample.ts';

/** A line costs as much as one of the log: that of a request would cost more than the request. */
const INTERVAL_MS = 10_000;

export interface RuntimeMetricsOptions {
  readonly metrics: Pick<Metrics, 'record' | 'version'>;
  /** Where this process reads and fills. */
  readonly phase: Phase;
  /** What the cache has counted since the process began. */
  readonly cache: () => CacheMetrics;
  /** The wall clock, in milliseconds: a frozen sandbox's other one stands still. */
  readonly now?: () => number;
}

/** A request that a user has made, and how it was answered. */
export interface EndedRequest {
  readonly path: string;
  /** Undefined where it threw, which Lambda counts itself. */
  readonly status: number | undefined;
  readonly ms: number;
}

export interface RuntimeMetrics {
  /** A statement took so many milliseconds. */
  databaseTook(ms: number): void;
  /** So did a command, whether Redis answered it or not. */
  redisTook(ms: number): void;
  /** A connection to Redis could not be opened, or was lost. */
  redisFailed(): void;
  breakerChanged(state: BreakerState): void;
  /**
   * Records what has come together, once the last lines are 10 s old. Failures at once, since a canary is judged by its few
   * requests; a connection fails every 2 s at the most.
   * @param request undefined for one that no user has made.
   */
  requestEnded(request?: EndedRequest): void;
  /** Records what has come together since; what a process has left that is killed is lost. */
  end(): void;
}

type Counted = Pick<CacheMetrics, 'hits' | 'misses' | 'legacyFallbacks' | 'fencedFills' | 'errors'>;

const NOTHING: Counted = { hits: 0, misses: 0, legacyFallbacks: 0, fencedFills: 0, errors: 0 };

/** What this process does for its users and has of its servers, put together over many requests. */
export function createRuntimeMetrics(options: RuntimeMetricsOptions): RuntimeMetrics {
  const { metrics, phase, cache, now = Date.now } = options;
  const namespace = namespaceOf(phase);
  const statements = createSample(MAX_VALUES);
  const commands = createSample(MAX_VALUES);
  const latencies = new Map<string, Sample>();
  let recordedAt = Number.NEGATIVE_INFINITY;
  let recorded = NOTHING;
  let requests = 0;
  let connectionFailures = 0;
  let breaker: BreakerState = 'closed';
  let wasOpen = false;

  const recordConnectionFailures = () => {
    if (connectionFailures === 0) return;
    const failures = figure(METRICS.redisConnectionFailures, connectionFailures);
    metrics.record([failures], [{}, { version: metrics.version }]);
    connectionFailures = 0;
  };

  const recordRuntime = (counted: Counted, connections: number) => {
    const [redisMs, databaseMs] = [p95Of(commands.take()), statements.take()];
    metrics.record([
      figure(METRICS.requests, requests),
      figure(METRICS.fencedFills, counted.fencedFills - recorded.fencedFills),
      figure(METRICS.cacheErrors, counted.errors - recorded.errors),
      figure(METRICS.breakerOpen, wasOpen ? 1 : 0),
      figure(METRICS.redisConnections, connections),
      ...(redisMs === undefined ? [] : [figure(METRICS.redisLatency, redisMs)]),
      ...(databaseMs.length === 0 ? [] : [figure(METRICS.databaseLatency, ...databaseMs)]),
    ]);
    requests = 0;
    wasOpen = breaker === 'open';
  };

  const recordReads = (counted: Counted) => {
    const [hits, misses] = [counted.hits - recorded.hits, counted.misses - recorded.misses];
    if (hits + misses === 0) return;
    const figures = [figure(METRICS.cacheHits, hits), figure(METRICS.cacheMisses, misses)];
    metrics.record(figures, [{}, { namespace }]);
    if (phase !== 'dual') return;
    const fallbacks = counted.legacyFallbacks - recorded.legacyFallbacks;
    metrics.record([figure(METRICS.legacyFallbacks, fallbacks)], [{ namespace }]);
  };

  const recordAll = () => {
    const { connections, ...counted } = cache();
    const isQuiet = requests === 0 && counted.hits === recorded.hits && counted.misses === recorded.misses;
    if (isQuiet && !wasOpen) return false;
    recordRuntime(counted, connections);
    recordReads(counted);
    for (const [route, sample] of latencies) {
      metrics.record([figure(METRICS.requestLatency, ...sample.take())], [{ route }]);
    }
    latencies.clear();
    recorded = counted;
    return true;
  };

  const count = ({ path, status, ms }: EndedRequest) => {
    requests += 1;
    const route = routeOf(path);
    const sample = latencies.get(route) ?? createSample(MAX_VALUES);
    latencies.set(route, sample);
    sample.add(ms);
    if (status === undefined || status < 500) return;
    metrics.record([figure(METRICS.serverErrors, 1)], [{ route }, { version: metrics.version }]);
  };

  return {
    databaseTook: statements.add,
    redisTook: commands.add,
    redisFailed() {
      connectionFailures += 1;
    },
    breakerChanged(state) {
      breaker = state;
      wasOpen ||= state === 'open';
    },
    requestEnded(request) {
      if (request) count(request);
      recordConnectionFailures();
      const at = now();
      if (at - recordedAt >= INTERVAL_MS && recordAll()) recordedAt = at;
    },
    end() {
      recordConnectionFailures();
      recordAll();
    },
  };
}
