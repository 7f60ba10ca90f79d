import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';
import type { Phase } from '../lambda/contract/environment.ts';

/** The stages that can be deployed. */
export const STAGE_NAMES = ['dev', 'staging', 'production'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** What differs between stages. A value that no stage changes is a constant beside its construct. */
export interface StageConfig {
  readonly name: StageName;
  /** `NODE_ENV` of the functions, and so the `{env}` in `cw:{env}:` keys. */
  readonly nodeEnv: 'development' | 'staging' | 'production';
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** Where the serverless backend's migration stands: which of its keys it reads and fills. */
  readonly phase: Phase;
  /** Whether entries with tags are cached. Not before every backend and the mirror run a version that bumps epochs. */
  readonly epochs: boolean;
  /** Whether data outlives its stack; otherwise a destroyed stage leaves nothing behind. */
  readonly keepsData: boolean;
  readonly logRetentionDays: RetentionDays;
  readonly cache: {
    /** Redis to Valkey is an upgrade in place; there is no way back but a new cache. */
    readonly engine: 'redis' | 'valkey';
    readonly nodeType: string;
    /** Any replica at all means multi-AZ with automatic failover: neither is of use without the other. */
    readonly replicas: number;
  };
  readonly database: {
    /** In Aurora capacity units, of about 2 GiB of memory each. */
    readonly minCapacityUnits: number;
    readonly maxCapacityUnits: number;
    readonly readers: number;
  };
  readonly api: { readonly requestsPerSecond: number; readonly burstRequests: number };
  /** The first share of the traffic that a new version gets, and for how long before it gets the rest. */
  readonly canary: { readonly percent: number; readonly minutes: number };
  /** The scheduled flush: once a day, at this hour in UTC. It deletes only when `dryRun` is false. */
  readonly flush: { readonly hourUtc: number; readonly dryRun: boolean };
  /** What the cache may cost in a month before somebody is told. */
  readonly monthlyBudgetDollars: number;
}

const DEV: StageConfig = {
  name: 'dev',
  nodeEnv: 'development',
  logLevel: 'DEBUG',
  phase: 'isolated',
  epochs: true,
  keepsData: false,
  logRetentionDays: RetentionDays.ONE_WEEK,
  cache: { engine: 'redis', nodeType: 'cache.t3.micro', replicas: 0 },
  database: { minCapacityUnits: 0.5, maxCapacityUnits: 2, readers: 0 },
  api: { requestsPerSecond: 100, burstRequests: 200 },
  canary: { percent: 5, minutes: 60 },
  flush: { hourUtc: 3, dryRun: true },
  monthlyBudgetDollars: 50,
};

const STAGES: Readonly<Record<StageName, StageConfig>> = {
  dev: DEV,
  staging: { ...DEV, name: 'staging', nodeEnv: 'staging', logLevel: 'INFO' },
  production: {
    ...DEV,
    name: 'production',
    nodeEnv: 'production',
    logLevel: 'INFO',
    phase: 'legacy',
    epochs: false,
    keepsData: true,
    logRetentionDays: RetentionDays.THREE_MONTHS,
    cache: { ...DEV.cache, replicas: 1 },
    database: { minCapacityUnits: 0.5, maxCapacityUnits: 8, readers: 1 },
    api: { requestsPerSecond: 1000, burstRequests: 2000 },
  },
};

/**
 * The stage that the context selects (`-c stage=dev`), `dev` when it selects none.
 * @throws when there is no such stage, or its configuration is invalid.
 */
export function readStage(node: Node): StageConfig {
  const name: unknown = node.tryGetContext('stage') ?? 'dev';
  if (!isStageName(name)) {
    throw new Error(`stages: stage is ${JSON.stringify(name)}; it must be one of ${STAGE_NAMES.join(', ')}`);
  }
  return validStage(STAGES[name]);
}

/**
 * The configuration itself, once every field is in its range: what CloudFormation would accept and AWS
 * refuse half an hour later is refused here, all of it at once.
 * @throws an error with one line a problem: stage, field, value, and what would do.
 */
export function validStage(stage: StageConfig): StageConfig {
  const { api, cache, canary, database, flush } = stage;
  const problems: string[] = [];
  const check = (valid: boolean, field: string, value: string | number, wanted: string): void => {
    if (!valid) problems.push(`stages: ${stage.name}: ${field} is ${value}; it must be ${wanted}`);
  };
  const checkWhole = (field: string, value: number, min: number, max: number): void =>
    check(
      Number.isInteger(value) && value >= min && value <= max,
      field,
      value,
      `a whole number, ${min} to ${max}`,
    );
  const checkUnits = (field: string, value: number, min: number): void =>
    check(
      Number.isInteger(value * 2) && value >= min && value <= 256,
      field,
      value,
      `a multiple of 0.5, ${min} to 256`,
    );

  check(
    RetentionDays[stage.logRetentionDays] !== undefined,
    'logRetentionDays',
    stage.logRetentionDays,
    'a retention of CloudWatch Logs',
  );
  check(
    /^cache\.[a-z0-9]+\.[a-z0-9]+$/.test(cache.nodeType),
    'cache.nodeType',
    cache.nodeType,
    'like cache.t3.micro',
  );
  checkWhole('cache.replicas', cache.replicas, 0, 5);
  checkUnits('database.minCapacityUnits', database.minCapacityUnits, 0.5);
  checkUnits('database.maxCapacityUnits', database.maxCapacityUnits, Math.max(1, database.minCapacityUnits));
  checkWhole('database.readers', database.readers, 0, 15);
  checkWhole('api.requestsPerSecond', api.requestsPerSecond, 1, 10_000);
  checkWhole('api.burstRequests', api.burstRequests, api.requestsPerSecond, 20_000);
  checkWhole('canary.percent', canary.percent, 1, 99);
  // CodeDeploy's longest canary on Lambda is two days.
  checkWhole('canary.minutes', canary.minutes, 1, 2880);
  checkWhole('flush.hourUtc', flush.hourUtc, 0, 23);
  check(stage.monthlyBudgetDollars > 0, 'monthlyBudgetDollars', stage.monthlyBudgetDollars, 'above 0');

  if (problems.length > 0) throw new Error(problems.join('\n'));
  return stage;
}

function isStageName(name: unknown): name is StageName {
  return STAGE_NAMES.some((known) => known === name);
}
