import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';

/** Where a component tells how much there is of something. */
export interface Metrics {
  /** What the number is now. */
  count(name: string, value: number): void;
}

/** Metrics that leave through the log, as CloudWatch's embedded metric format; not at all outside of Lambda. */
export function createMetrics(options: {
  readonly namespace: string;
  readonly serviceName: string;
}): Metrics {
  const metrics = new PowertoolsMetrics(options);
  const isDeployed = process.env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined;
  return {
    count(name, value) {
      if (isDeployed) metrics.singleMetric().addMetric(name, MetricUnit.Count, value);
    },
  };
}
