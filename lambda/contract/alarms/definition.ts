import type { AwsMetricKey } from '../aws-metrics.ts';
import type { Phase } from '../environment.ts';
import type { AnyMetricName, Dimension } from '../metrics.ts';

/** What a stage is like, as far as its alarms depend on it. */
export interface StageFacts {
  readonly phase: Phase;
  /** Whether a new version gets a share of the traffic first. */
  readonly hasCanary: boolean;
  /** Whether the dispatcher runs each minute, and the auditor each five. */
  readonly dispatches: boolean;
  /** Of a cache of the stage's own: what a node has; undefined for an existing one, of whose nodes nothing is known. */
  readonly node:
    | { readonly cores: number; readonly memoryGib: number; readonly hasReplicas: boolean }
    | undefined;
  /** What a database of the stage's own takes; undefined for an existing one. */
  readonly maxDatabaseConnections: number | undefined;
}

type Statistic = 'Sum' | 'Maximum' | 'Average' | 'p50' | 'p95';

/** A metric of our own, or of AWS, as an alarm looks at it. */
export type Watched = { readonly statistic: Statistic } & (
  | {
      readonly own: AnyMetricName;
      /** Without a value: the version that is deployed, or the namespace of the stage's phase. */
      readonly by?: Dimension;
      readonly value?: string;
    }
  | { readonly aws: AwsMetricKey; readonly of?: WatchedFunction }
);

/** Whose metric of a function. */
export type WatchedFunction = 'api' | 'auditor' | 'dispatcher' | 'flush';

/** `page` wakes somebody up, and the cutover is not healthy while it is red; `ticket` waits for the morning. */
export type Severity = 'page' | 'ticket';

/** An alarm: red when its value is above the threshold. */
export interface AlarmDefinition {
  /** What is wrong when it is red. */
  readonly says: string;
  /** By their names in the expression; without one there is one metric. */
  readonly metrics: Readonly<Record<string, Watched>>;
  readonly expression?: string;
  /** In the unit of the metric, or of the expression. */
  readonly threshold: number | ((facts: StageFacts) => number);
  /** Why this threshold. */
  readonly reason: string;
  readonly periodSeconds: number;
  /** So many periods of so many are above the threshold. A period without data is not. */
  readonly periods: { readonly bad: number; readonly of: number };
  readonly severity: Severity;
  /** Whether CodeDeploy takes a canary's traffic back; such an alarm looks at the new version alone. */
  readonly rollsBack: boolean;
  /** Whether each node of the cache has one. */
  readonly perNode?: boolean;
  /** The stages that have it. Default: all. */
  readonly isOf?: (facts: StageFacts) => boolean;
}
