import type { Phase } from './environment.ts';

/** The namespace of every metric. */
export const METRICS_NAMESPACE = 'Cutover';

/** The dimensions of every metric, by their names: stages may share an account, and `environment` is `NODE_ENV`. */
export interface MetricDimensions {
  readonly service: string;
  readonly environment: string;
}

/** Those of a metric that tells one version of the API from another. */
export interface VersionDimensions extends MetricDimensions {
  /** As Lambda numbers it: `7`. */
  readonly version: string;
}

/** The service of the API, as its log and its metrics name it: others read them back. */
export const API_SERVICE = 'cutover-api';

/** The service of the hook that lets a new version have traffic. */
export const PRE_TRAFFIC_SERVICE = 'cutover-pre-traffic';

export const DISPATCHER_SERVICE = 'cutover-dispatcher';
export const AUDITOR_SERVICE = 'cutover-auditor';
export const FLUSH_SERVICE = 'cutover-flush';

/** The metrics that functions write to their log. The legacy backend's mirror writes none: it runs in somebody else's process. */
export const METRICS = {
  /** The flags of an environment, whenever all of them are loaded: above 5,000 the cache's size is looked at. */
  flagCount: 'FlagCount',
  /** What users have asked for, and got an answer to, whatever it was: not `/health` and `/ready`. */
  requests: 'Requests',
  /** From the event to the answer, in milliseconds, by route: a sample. */
  requestLatency: 'RequestLatency',
  /** Answers of the API above 499, without those of its readiness: by version and by route. To Lambda they are no errors. */
  serverErrors: 'ServerErrors',
  /** Reads that the API's cache answered, and those that it could not: as they add up, each 10 s at the most. */
  cacheHits: 'CacheHits',
  cacheMisses: 'CacheMisses',
  /** Hits that the un-prefixed key gave, in the phase `dual`: at 0 for a while, that key is no longer needed. */
  legacyFallbacks: 'LegacyFallbacks',
  /** Loads whose value was not stored, because an invalidation came between. */
  fencedFills: 'FencedFills',
  /** What went wrong between the API and its cache: a missing right, a wrong type, a timeout; while the breaker is open, nothing. */
  cacheErrors: 'CacheErrors',
  /** 1 where the breaker was open at some time since the last line, else 0. */
  breakerOpen: 'BreakerOpen',
  /** Connections to Redis that the API could not open, or has lost: by version, too. */
  redisConnectionFailures: 'RedisConnectionFailures',
  /** Open connections to Redis of one process, of at most ten. */
  redisConnections: 'RedisConnections',
  /** How long the API waited for a reply of Redis, in milliseconds: the 95th percentile of a sample since the last line. */
  redisLatency: 'RedisLatency',
  /** How long the API waited for a statement, in milliseconds: a sample, and not of statements inside transactions. */
  databaseLatency: 'DatabaseLatency',
  /** Rows of the outbox that nobody has confirmed after a dispatch, and the age of the oldest, in seconds; 0 without one. */
  outboxPending: 'OutboxPending',
  outboxOldestAge: 'OutboxOldestAge',
  /** Who has been found to change rows without an invalidation, by a dispatch: a legacy instance without the mirror. */
  uncoveredWriters: 'UncoveredWriters',
  /** Entries that the auditor has compared with their rows, and those that were older, twice in a row. */
  checkedEntries: 'CheckedEntries',
  staleEntries: 'StaleEntries',
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];

/** The metrics that the scheduled flush records, once a run. */
export const FLUSH_METRICS = {
  /** Keys that were deleted. */
  flushedKeys: 'FlushedKeys',
  /** Keys that a dry run would have deleted. */
  keysToFlush: 'KeysToFlush',
  /** In seconds, of its passes. */
  flushDuration: 'FlushDuration',
  /** Of reads through the API's cache, in percent. */
  cacheHitRate: { before: 'CacheHitRateBefore', after: 'CacheHitRateAfter' },
  cacheMissRate: { before: 'CacheMissRateBefore', after: 'CacheMissRateAfter' },
  /** Of all that Redis was asked for, whoever asked, in percent: before since it began, after since the flush. */
  keyspaceHitRate: { before: 'KeyspaceHitRateBefore', after: 'KeyspaceHitRateAfter' },
  keyspaceMissRate: { before: 'KeyspaceMissRateBefore', after: 'KeyspaceMissRateAfter' },
  /** The mean, in milliseconds. */
  databaseLatency: {
    before: 'DatabaseLatencyBefore',
    during: 'DatabaseLatencyDuring',
    after: 'DatabaseLatencyAfter',
  },
} as const;

/** The metrics that the hooks of a deployment record. */
export const HOOK_METRICS = {
  /** 1 in each minute of a canary, ahead of time, by version: traffic has to come. */
  canaryExpected: 'CanaryExpected',
} as const;

/** Where keys live, as a dimension says it: `cw` is `cw:{env}:`, whatever the environment. */
export const NAMESPACES = ['legacy', 'v2', 'cw'] as const;
export type Namespace = (typeof NAMESPACES)[number];

const NAMESPACE_OF: Readonly<Record<Phase, Namespace>> = {
  legacy: 'legacy',
  isolated: 'v2',
  dual: 'cw',
  prefixed: 'cw',
};

/** Where a process in this phase reads and fills; a cache family with a phase of its own is counted with the others. */
export const namespaceOf = (phase: Phase): Namespace => NAMESPACE_OF[phase];

/** The routes of the API as a dimension names them: each name costs two series. */
export const ROUTES = ['collections', 'flags', 'classroom', 'other'] as const;
export type MetricRoute = (typeof ROUTES)[number];

/** Those whose answers are cached. */
export const CACHED_ROUTES = ['collections', 'flags'] as const satisfies readonly MetricRoute[];

const ROUTE_PATHS: readonly (readonly [string, MetricRoute])[] = [
  ['/api/users/', 'collections'],
  ['/api/config/flags', 'flags'],
  ['/api/admin/flags', 'flags'],
  ['/api/sessions', 'classroom'],
  ['/api/classroom', 'classroom'],
];

/** The route of a path; of what the path names nothing is left. */
export const routeOf = (path: string): MetricRoute =>
  ROUTE_PATHS.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'other';

/** A dimension beside service and environment, and how many values of it a stage has at a time. */
export const DIMENSION_VALUES = {
  /** A step of a migration lies between two phases. */
  namespace: 2,
  route: ROUTES.length,
  /** The one before and the new one, while a canary runs. */
  version: 2,
} as const;
export type Dimension = keyof typeof DIMENSION_VALUES;

/** A unit of CloudWatch's. */
export type MetricUnit = 'Count' | 'Milliseconds' | 'Seconds' | 'Percent';

/** What a metric is: a name means the same everywhere, and costs what its dimensions cost. */
export interface MetricType {
  readonly unit: MetricUnit;
  /** As whom it is recorded. */
  readonly service: string;
  /** Its sets of dimensions, each beside service and environment; each is a series for each of their values. */
  readonly sets: readonly (readonly Dimension[])[];
  /** When it is written: a series costs by the hour in which it is. Default: all the time. */
  readonly written?: 'in a canary' | 'once a day';
}

const ofApi = (unit: MetricUnit, ...sets: readonly (readonly Dimension[])[]): MetricType => ({
  ...{ unit, service: API_SERVICE },
  sets: sets.length > 0 ? sets : [[]],
});
const once = (unit: MetricUnit): MetricType => ({
  ...{ unit, service: FLUSH_SERVICE, sets: [[]], written: 'once a day' },
});
const of = (service: string, unit: MetricUnit): MetricType => ({ unit, service, sets: [[]] });

type FlushMetricName = Values<typeof FLUSH_METRICS>;
type Values<T> = T extends string ? T : { [Key in keyof T]: Values<T[Key]> }[keyof T];

/** Every metric that this repository records. */
export const METRIC_TYPES: Readonly<
  Record<MetricName | FlushMetricName | Values<typeof HOOK_METRICS>, MetricType>
> = {
  FlagCount: ofApi('Count'),
  Requests: ofApi('Count'),
  RequestLatency: ofApi('Milliseconds', ['route']),
  ServerErrors: ofApi('Count', ['route'], ['version']),
  CacheHits: ofApi('Count', [], ['namespace']),
  CacheMisses: ofApi('Count', [], ['namespace']),
  LegacyFallbacks: ofApi('Count', ['namespace']),
  FencedFills: ofApi('Count'),
  CacheErrors: ofApi('Count'),
  BreakerOpen: ofApi('Count'),
  RedisConnectionFailures: ofApi('Count', [], ['version']),
  RedisConnections: ofApi('Count'),
  RedisLatency: ofApi('Milliseconds'),
  DatabaseLatency: ofApi('Milliseconds'),
  OutboxPending: of(DISPATCHER_SERVICE, 'Count'),
  OutboxOldestAge: of(DISPATCHER_SERVICE, 'Seconds'),
  UncoveredWriters: of(DISPATCHER_SERVICE, 'Count'),
  CheckedEntries: of(AUDITOR_SERVICE, 'Count'),
  StaleEntries: of(AUDITOR_SERVICE, 'Count'),
  CanaryExpected: {
    ...{ unit: 'Count', service: PRE_TRAFFIC_SERVICE, sets: [['version']], written: 'in a canary' },
  },
  FlushedKeys: once('Count'),
  KeysToFlush: once('Count'),
  FlushDuration: once('Seconds'),
  CacheHitRateBefore: once('Percent'),
  CacheHitRateAfter: once('Percent'),
  CacheMissRateBefore: once('Percent'),
  CacheMissRateAfter: once('Percent'),
  KeyspaceHitRateBefore: once('Percent'),
  KeyspaceHitRateAfter: once('Percent'),
  KeyspaceMissRateBefore: once('Percent'),
  KeyspaceMissRateAfter: once('Percent'),
  DatabaseLatencyBefore: once('Milliseconds'),
  DatabaseLatencyDuring: once('Milliseconds'),
  DatabaseLatencyAfter: once('Milliseconds'),
};

export type AnyMetricName = keyof typeof METRIC_TYPES;

/** The most series that a stage may have, by the hours in which they are written. */
export const MAX_SERIES = 40;

/** How many series a metric is at the most. */
export const seriesOf = ({ sets }: MetricType): number =>
  sets.reduce(
    (sum, set) => sum + set.reduce((product, dimension) => product * DIMENSION_VALUES[dimension], 1),
    0,
  );

/** What was seen of a metric, with its unit: what `Metrics.record` takes. */
export const figure = (name: AnyMetricName, ...values: readonly number[]) => ({
  ...{ name, unit: METRIC_TYPES[name].unit, values },
});
