import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';

/** What was seen of one metric. */
export interface Figure {
  readonly name: string;
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds' | 'Percent';
  /** Up to `MAX_VALUES`, none of them lost. */
  readonly values: readonly number[];
}

/** Dimensions beside service and environment. */
export type DimensionSet = Readonly<Record<string, string>>;

/** Where a component tells how much there is of something. */
export interface Metrics {
  /** Of this function, as Lambda numbers it: a dimension of what tells versions apart. */
  readonly version: string;
  /** What the number is now. */
  count(name: string, value: number): void;
  /**
   * Several metrics in one line.
   * @param sets each makes a series of its own of every figure. Default: one, without more dimensions.
   */
  record(figures: readonly Figure[], sets?: readonly DimensionSet[]): void;
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
  return {
    version: process.env['AWS_LAMBDA_FUNCTION_VERSION'] ?? '$LATEST',
    count(name, value) {
      if (isDeployed) metrics.singleMetric().addMetric(name, MetricUnit.Count, value);
    },
    record(figures, sets = [{}]) {
      if (!isDeployed || figures.length === 0) return;
      // Publishing forgets them.
      for (const set of sets) metrics.addDimensions({ ...set });
      for (const { name, unit, values } of figures) {
        for (const value of values) metrics.addMetric(name, MetricUnit[unit], value);
      }
      metrics.publishStoredMetrics();
    },
  };
}
