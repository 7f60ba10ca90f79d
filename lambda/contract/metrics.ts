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

/** The metrics that functions write to their log. */
export const METRICS = {
  /** The flags of an environment, whenever all of them are loaded: above 5,000 the cache's size is looked at. */
  flagCount: 'FlagCount',
  /** Reads that the API's cache answered, and those that it could not: as they add up, each 10 s at the most. */
  cacheHits: 'CacheHits',
  cacheMisses: 'CacheMisses',
  /** How long the API waited for a statement, in milliseconds: a sample, and not of statements inside transactions. */
  databaseLatency: 'DatabaseLatency',
  /** Answers of the API above 499, without those of its readiness: by version, too. To Lambda they are no errors. */
  serverErrors: 'ServerErrors',
  /** Connections to Redis that the API could not open, or has lost: by version, too. */
  redisConnectionFailures: 'RedisConnectionFailures',
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
