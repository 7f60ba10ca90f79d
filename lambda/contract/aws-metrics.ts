/** What a metric of AWS is of: whoever looks at it names that one's dimensions. */
export type AwsSource = 'api' | 'function' | 'version' | 'node' | 'database' | 'queue';

export interface AwsMetric {
  readonly namespace: string;
  readonly name: string;
  readonly of: AwsSource;
}

const of =
  (namespace: string, source: AwsSource) =>
  (name: string): AwsMetric => ({ namespace, name, of: source });

const ofApi = of('AWS/ApiGateway', 'api');
const ofFunction = of('AWS/Lambda', 'function');
const ofVersion = of('AWS/Lambda', 'version');
const ofNode = of('AWS/ElastiCache', 'node');
const ofDatabase = of('AWS/RDS', 'database');

/** The metrics of AWS that alarms and dashboards look at; they cost nothing. */
export const AWS_METRICS = {
  apiRequests: ofApi('Count'),
  apiServerErrors: ofApi('5xx'),
  apiClientErrors: ofApi('4xx'),
  /** In milliseconds. */
  apiLatency: ofApi('Latency'),

  functionInvocations: ofFunction('Invocations'),
  functionErrors: ofFunction('Errors'),
  functionThrottles: ofFunction('Throttles'),
  /** In milliseconds. */
  functionDuration: ofFunction('Duration'),
  functionConcurrency: ofFunction('ConcurrentExecutions'),

  /** The same of one version, as the alias invokes it. */
  versionInvocations: ofVersion('Invocations'),
  versionErrors: ofVersion('Errors'),
  versionDuration: ofVersion('Duration'),

  /** Of the host, in percent: on one or two cores it says more than that of the engine. */
  nodeCpu: ofNode('CPUUtilization'),
  /** Of the one thread that runs the commands, in percent. */
  nodeEngineCpu: ofNode('EngineCPUUtilization'),
  /** In percent of what keys may take. */
  nodeMemory: ofNode('DatabaseMemoryUsagePercentage'),
  nodeMemoryBytes: ofNode('BytesUsedForCache'),
  nodeEvictions: ofNode('Evictions'),
  /** How far a replica is behind, in seconds; of the primary there is none. */
  nodeReplicationLag: ofNode('ReplicationLag'),
  /** In bytes. */
  nodeSwap: ofNode('SwapUsage'),
  nodeConnections: ofNode('CurrConnections'),

  databaseConnections: ofDatabase('DatabaseConnections'),
  databaseCapacity: ofDatabase('ServerlessDatabaseCapacity'),

  deadLetters: of('AWS/SQS', 'queue')('ApproximateNumberOfMessagesVisible'),
} as const;

export type AwsMetricKey = keyof typeof AWS_METRICS;
