import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';
import type { Phase } from '../lambda/contract/environment.ts';
import { PUBLIC_FLAGS_THROTTLE, type Throttle } from '../lambda/contract/flag-routes.ts';

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
  /** Where the API reads and fills: `memory` is the way back from a cache that makes trouble. Its writes invalidate Redis either way. */
  readonly cacheMode: 'redis' | 'memory';
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
  /** Of all clients together, on each route. */
  readonly api: Throttle;
  /** The same for each public route of the feature flags, within that of the API. */
  readonly publicFlags: Throttle;
  /** Whose tokens may write flags, and whom they have to be for. Without it nobody may. */
  readonly oidc?: { readonly issuer: string; readonly audience: string } | undefined;
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
  cacheMode: 'redis',
  keepsData: false,
  logRetentionDays: RetentionDays.ONE_WEEK,
  cache: { engine: 'redis', nodeType: 'cache.t3.micro', replicas: 0 },
  database: { minCapacityUnits: 0.5, maxCapacityUnits: 2, readers: 0 },
  api: { requestsPerSecond: 100, burstRequests: 200 },
  publicFlags: PUBLIC_FLAGS_THROTTLE,
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
    publicFlags: { requestsPerSecond: 500, burstRequests: 1000 },
  },
};

/**
 * The stage that the context selects (`-c stage=dev`), `dev` when it selects none, with the issuer that it names
 * (`-c oidcIssuer=https://... -c oidcAudience=...`), and where the API reads and fills (`-c cacheMode=memory`).
 * @throws when there is no such stage, or its configuration is invalid.
 */
export function readStage(node: Node): StageConfig {
  const name: unknown = node.tryGetContext('stage') ?? 'dev';
  if (!isStageName(name)) {
    throw new Error(`stages: stage is ${JSON.stringify(name)}; it must be one of ${STAGE_NAMES.join(', ')}`);
  }
  const cacheMode = node.tryGetContext('cacheMode') ?? STAGES[name].cacheMode;
  return validStage({ ...STAGES[name], cacheMode, oidc: oidcIn(node) });
}

function oidcIn(node: Node): StageConfig['oidc'] {
  const [issuer, audience] = [node.tryGetContext('oidcIssuer'), node.tryGetContext('oidcAudience')];
  return issuer || audience ? { issuer: String(issuer ?? ''), audience: String(audience ?? '') } : undefined;
}

/**
 * The configuration itself, once every field is in its range: what CloudFormation would accept and AWS
 * refuse half an hour later is refused here, all of it at once.
 * @throws an error with one line a problem: stage, field, value, and what would do.
 */
export function validStage(stage: StageConfig): StageConfig {
  const { api, cache, cacheMode, canary, database, flush, oidc, publicFlags } = stage;
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
  check(['redis', 'memory'].includes(cacheMode), 'cacheMode', cacheMode, 'redis or memory');
  checkWhole('cache.replicas', cache.replicas, 0, 5);
  checkUnits('database.minCapacityUnits', database.minCapacityUnits, 0.5);
  checkUnits('database.maxCapacityUnits', database.maxCapacityUnits, Math.max(1, database.minCapacityUnits));
  checkWhole('database.readers', database.readers, 0, 15);
  checkWhole('api.requestsPerSecond', api.requestsPerSecond, 1, 10_000);
  checkWhole('api.burstRequests', api.burstRequests, api.requestsPerSecond, 20_000);
  checkWhole('publicFlags.requestsPerSecond', publicFlags.requestsPerSecond, 1, api.requestsPerSecond);
  checkWhole(
    'publicFlags.burstRequests',
    publicFlags.burstRequests,
    publicFlags.requestsPerSecond,
    api.burstRequests,
  );
  if (oidc) {
    const { issuer, audience } = oidc;
    check(isIssuer(issuer), 'oidcIssuer', issuer || 'not set', 'an https:// URL without query and fragment');
    check(audience !== '', 'oidcAudience', 'not set', 'set, since oidcIssuer is');
  }
  checkWhole('canary.percent', canary.percent, 1, 99);
  // CodeDeploy's longest canary on Lambda is two days.
  checkWhole('canary.minutes', canary.minutes, 1, 2880);
  checkWhole('flush.hourUtc', flush.hourUtc, 0, 23);
  check(stage.monthlyBudgetDollars > 0, 'monthlyBudgetDollars', stage.monthlyBudgetDollars, 'above 0');

  if (problems.length > 0) throw new Error(problems.join('\n'));
  return stage;
}

/** As OpenID Connect Discovery 1.0 has it, section 2. */
function isIssuer(url: string): boolean {
  return URL.canParse(url) && /^https:\/\/[^?#]+$/.test(url);
}

function isStageName(name: unknown): name is StageName {
  return STAGE_NAMES.some((known) => known === name);
}
