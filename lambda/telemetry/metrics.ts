import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';

/** What was seen of one metric. */
export interface Figure {
  readonly name: string;
  readonly unit: 'Count' | 'Milliseconds';
  /** Up to `MAX_VALUES`, none of them lost. */
  readonly values: readonly number[];
}

/** Where a component tells how much there is of something. */
export interface Metrics {
  /** What the number is now. */
  count(name: string, value: number): void;
  /** Several metrics in one line. */
  record(figures: readonly Figure[]): void;
  /** The same at once for the service and for this version of it, as Lambda numbers it. */
  recordByVersion(figures: readonly Figure[]): void;
}

/** How many values of one metric a line can hold: with the hundredth, Powertools writes the line by itself. */
export const MAX_VALUES = 99;

export interface MetricsOptions {
  readonly namespace: string;
  /** Its dimensions: which service, in which environment. */
  readonly serviceName: string;
  readonly environment: string;
}

/** Metrics that leave through the log, as CloudWatch's embedded metric format; not at all outside of Lambda. */
export function createMetrics({ environment, ...options }: MetricsOptions): Metrics {
  const metrics = new PowertoolsMetrics({ ...options, defaultDimensions: { environment } });
  const isDeployed = process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined;
  const version = process.env['AWS_LAMBDA_FUNCTION_VERSION'] ?? '$LATEST';
  const record = (figures: readonly Figure[]) => {
    for (const { name, unit, values } of figures) {
      for (const value of values) metrics.addMetric(name, MetricUnit[unit], value);
    }
    metrics.publishStoredMetrics();
  };
  return {
    count(name, value) {
      if (isDeployed) metrics.singleMetric().addMetric(name, MetricUnit.Count, value);
    },
    record(figures) {
      if (isDeployed && figures.length > 0) record(figures);
    },
    recordByVersion(figures) {
      if (!isDeployed || figures.length === 0) return;
      // Two sets of dimensions: those that every metric has, and those with the version. Publishing forgets them.
      metrics.addDimensions({});
      metrics.addDimensions({ version });
      record(figures);
    },
  };
}
