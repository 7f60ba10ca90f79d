/** The namespace of every metric that the functions write to their log. */
export const METRICS_NAMESPACE = 'Cutover';

/** The metrics, by what they count. */
export const METRICS = {
  /** The flags of an environment, whenever all of them are loaded: above 5,000 the cache's size is looked at. */
  flagCount: 'FlagCount',
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];
