import {
  CloudWatchClient,
  type MetricDataQuery,
  PutMetricDataCommand,
  paginateGetMetricData,
  type StandardUnit,
} from '@aws-sdk/client-cloudwatch';
import { API_SERVICE, METRICS, METRICS_NAMESPACE, type MetricDimensions } from '../../contract/metrics.ts';
import { MINUTE_MS, type Minute, startOfMinute } from './minutes.ts';

/** One number that is recorded. */
export interface Recorded {
  readonly name: string;
  readonly unit: Extract<StandardUnit, 'Count' | 'Percent' | 'Seconds' | 'Milliseconds'>;
  readonly value: number;
}

/** The metrics of an environment. */
export interface Monitoring {
  /** What the API has recorded, by minute, oldest first; a minute without anything is not in it. Times in milliseconds since 1970. */
  minutes(span: { readonly from: number; readonly to: number }): Promise<readonly Minute[]>;
  /** Records numbers as of now. */
  record(figures: readonly Recorded[]): Promise<void>;
}

export interface MonitoringOptions {
  /** As whom it records. */
  readonly service: string;
  /** By convention `NODE_ENV`. */
  readonly environment: string;
}

const CONNECT_TIMEOUT_MS = 2000;
const REQUEST_TIMEOUT_MS = 5000;

/** What is asked for of each minute, by the field that it becomes. */
const QUERIES = {
  hits: [METRICS.cacheHits, 'Sum'],
  misses: [METRICS.cacheMisses, 'Sum'],
  latencyMs: [METRICS.databaseLatency, 'Sum'],
  latencies: [METRICS.databaseLatency, 'SampleCount'],
} as const satisfies Record<Exclude<keyof Minute, 'at'>, readonly [string, string]>;
type Field = keyof typeof QUERIES;
const FIELDS = Object.keys(QUERIES) as Field[];

/** CloudWatch, of the region and with the credentials of the process. @throws on use, the errors of the AWS SDK. */
export function openMonitoring({ service, environment }: MonitoringOptions): Monitoring {
  const client = new CloudWatchClient({
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  return {
    async minutes({ from, to }) {
      const byTime = new Map<number, { -readonly [Name in keyof Minute]: Minute[Name] }>();
      const minuteAt = (at: number) => {
        const known = byTime.get(at) ?? { at, hits: 0, misses: 0, latencyMs: 0, latencies: 0 };
        byTime.set(at, known);
        return known;
      };
      const pages = paginateGetMetricData(
        { client },
        {
          MetricDataQueries: FIELDS.map((field) => queryOf(field, environment)),
          StartTime: new Date(startOfMinute(from)),
          EndTime: new Date(startOfMinute(to) + MINUTE_MS),
          ScanBy: 'TimestampAscending',
        },
      );
      for await (const { MetricDataResults: results = [] } of pages) {
        for (const { Id, Timestamps: times = [], Values: values = [] } of results) {
          const field = FIELDS.find((each) => each === Id);
          if (!field) continue;
          for (const [index, time] of times.entries()) minuteAt(time.getTime())[field] = values[index] ?? 0;
        }
      }
      return [...byTime.values()].sort((one, other) => one.at - other.at);
    },
    async record(figures) {
      if (figures.length === 0) return;
      const common = { Dimensions: dimensions({ service, environment }), Timestamp: new Date() };
      await client.send(
        new PutMetricDataCommand({
          Namespace: METRICS_NAMESPACE,
          MetricData: figures.map(({ name, unit, value }) => ({
            ...common,
            MetricName: name,
            Unit: unit,
            Value: value,
          })),
        }),
      );
    },
  };
}

function queryOf(field: Field, environment: string): MetricDataQuery {
  const [name, statistic] = QUERIES[field];
  return {
    Id: field,
    MetricStat: {
      Metric: {
        Namespace: METRICS_NAMESPACE,
        MetricName: name,
        Dimensions: dimensions({ service: API_SERVICE, environment }),
      },
      Period: MINUTE_MS / 1000,
      Stat: statistic,
    },
  };
}

const dimensions = (of: MetricDimensions) => Object.entries(of).map(([Name, Value]) => ({ Name, Value }));
