/** The namespace of every metric. */
export const METRICS_NAMESPACE = 'Cutover';

/** The dimensions of every metric, by their names: stages may share an account, and `environment` is `NODE_ENV`. */
export interface MetricDimensions {
  readonly service: string;
  readonly environment: string;
}

/** The service of the API, as its log and its metrics name it: others read them back. */
export const API_SERVICE = 'cutover-api';

/** The metrics that functions write to their log. */
export const METRICS = {
  /** The flags of an environment, whenever all of them are loaded: above 5,000 the cache's size is looked at. */
  flagCount: 'FlagCount',
  /** Reads that the API's cache answered, and those that it could not: as they add up, each 10 s at the most. */
  cacheHits: 'CacheHits',
  cacheMisses: 'CacheMisses',
  /** How long the API waited for a statement, in milliseconds: a sample, and not of statements inside transactions. */
  databaseLatency: 'DatabaseLatency',
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
