import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';
import type { Phase } from '../lambda/contract/environment.ts';
import { PUBLIC_FLAGS_THROTTLE, type Throttle } from '../lambda/contract/flag-routes.ts';
import type { RolloutStage } from '../lambda/contract/rollout.ts';
import { validStage } from './stage-validation.ts';

/** The stages that can be deployed. */
export const STAGE_NAMES = ['dev', 'staging', 'production'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** A VPC of the stage's own. */
export interface CreatedVpc {
  /** A private block that two subnets of 256 addresses each fit into. */
  readonly cidr: string;
  /** The AWS services that functions reach in the VPC, as `secretsmanager`; each costs more than the smallest cache. */
  readonly interfaceEndpoints: readonly string[];
}

/** A VPC that is there: its flow logs, endpoints and routes are its owner's. */
export interface ExistingVpc {
  readonly vpcId: string;
  readonly availabilityZones: readonly string[];
  /** One in each zone, in the same order. The functions need no way out of them. */
  readonly isolatedSubnetIds: readonly string[];
}

/** A server that is there, in the stage's existing VPC. */
export interface ExistingServer {
  /** Its host name alone: without scheme, port and path. TLS compares it with the certificate. */
  readonly host: string;
  readonly port: number;
  /** Its group, which gets a rule for the stage's functions and keeps those that it has. */
  readonly securityGroupId: string;
  /** The secret whose fields `username` and `password` the functions show it. */
  readonly secretArn: string;
}

/** What differs between stages. A value that no stage changes is a constant beside its construct. */
export interface StageConfig {
  readonly name: StageName;
  /** `NODE_ENV` of the functions, and so the `{env}` in `cw:{env}:` keys. */
  readonly nodeEnv: 'development' | 'staging' | 'production';
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** Where the serverless backend's migration stands: which of its keys it reads and fills. */
  readonly phase: Phase;
  /** `CW_RL_PREFIX_ENABLED`: whether rate limits have moved to `cw:{env}:`. Not before the phase is `dual`. */
  readonly rateLimitsPrefixed: boolean;
  /** Whether entries with tags are cached. Not before every backend and the mirror run a version that bumps epochs. */
  readonly epochs: boolean;
  /** Where the API reads and fills: `memory` is the way back from a cache that makes trouble. Its writes invalidate Redis either way. */
  readonly cacheMode: 'redis' | 'memory';
  /** Whether data outlives its stack; otherwise a destroyed stage leaves nothing behind. */
  readonly keepsData: boolean;
  readonly logRetentionDays: RetentionDays;
  readonly vpc: CreatedVpc | { readonly existing: ExistingVpc };
  readonly cache: CreatedCache | { readonly existing: ExistingServer };
  readonly database: CreatedDatabase | { readonly existing: ExistingDatabaseServer };
  /** The groups of the legacy backend, which the cache admits. Not those that an existing cache admits already: AWS refuses a rule twice. */
  readonly legacySecurityGroupIds: readonly string[];
  /** Of all clients together, on each route. */
  readonly api: Throttle;
  /** The same for each public route of the feature flags, within that of the API. */
  readonly publicFlags: Throttle;
  /** Whose tokens may write flags, and whom they have to be for. Without it nobody may. */
  readonly oidc?: { readonly issuer: string; readonly audience: string } | undefined;
  /** The first share of the traffic that a new version gets, and for how long before it gets the rest. */
  readonly canary: { readonly percent: number; readonly minutes: number } | 'all-at-once';
  /** The name that both backends answer to, by weight. Without it there is no rollout, and the API has AWS's name alone. */
  readonly rollout?: Rollout | undefined;
  /** The scheduled flush: once a day, at this hour in UTC. It deletes only when `dryRun` is false. */
  readonly flush: { readonly hourUtc: number; readonly dryRun: boolean };
  /** What the cache may cost in a month before somebody is told. */
  readonly monthlyBudgetDollars: number;
}

export interface CreatedCache {
  /** Redis to Valkey is an upgrade in place; there is no way back but a new cache. */
  readonly engine: 'redis' | 'valkey';
  readonly nodeType: string;
  /** With one at least, it takes the place of a primary that fails. */
  readonly replicas: number;
  /** Whether a replica is in another zone than the primary. */
  readonly multiAz: boolean;
}

export interface CreatedDatabase {
  /**
   * In Aurora capacity units, of about 2 GiB of memory each. With 0 the database pauses when nobody is connected, and who comes
   * next waits about 15 seconds or is refused: see `databasePauses`.
   */
  readonly minCapacityUnits: number;
  readonly maxCapacityUnits: number;
  readonly readers: number;
}

export interface ExistingDatabaseServer extends ExistingServer {
  readonly databaseName: string;
}

export interface Rollout {
  readonly domainName: string;
  /** Of ACM, for the domain, in the region of the stage. */
  readonly certificateArn: string;
  readonly hostedZoneId: string;
  /** The name of the legacy backend's load balancer. */
  readonly legacyTarget: string;
  /** The shares of the traffic, one after another, growing. Default: 5, 25, 50 and 100 %. */
  readonly stages?: readonly RolloutStage[];
  /** GETs that both backends have to answer alike before each stage, without a token. Default: the public flags. */
  readonly comparePaths?: readonly string[];
}

const DEV: StageConfig = {
  name: 'dev',
  nodeEnv: 'development',
  logLevel: 'DEBUG',
  phase: 'isolated',
  rateLimitsPrefixed: false,
  epochs: true,
  cacheMode: 'redis',
  keepsData: false,
  logRetentionDays: RetentionDays.ONE_WEEK,
  vpc: { cidr: '10.0.0.0/16', interfaceEndpoints: [] },
  cache: { engine: 'redis', nodeType: 'cache.t3.micro', replicas: 0, multiAz: false },
  database: { minCapacityUnits: 0, maxCapacityUnits: 2, readers: 0 },
  legacySecurityGroupIds: [],
  api: { requestsPerSecond: 100, burstRequests: 200 },
  publicFlags: PUBLIC_FLAGS_THROTTLE,
  canary: 'all-at-once',
  flush: { hourUtc: 3, dryRun: true },
  monthlyBudgetDollars: 50,
};

const STAGES: Readonly<Record<StageName, StageConfig>> = {
  dev: DEV,
  staging: {
    ...DEV,
    name: 'staging',
    nodeEnv: 'staging',
    logLevel: 'INFO',
    database: { minCapacityUnits: 0.5, maxCapacityUnits: 2, readers: 0 },
    canary: { percent: 5, minutes: 60 },
  },
  production: {
    ...DEV,
    name: 'production',
    nodeEnv: 'production',
    logLevel: 'INFO',
    phase: 'legacy',
    epochs: false,
    keepsData: true,
    logRetentionDays: RetentionDays.THREE_MONTHS,
    cache: { engine: 'redis', nodeType: 'cache.t3.micro', replicas: 1, multiAz: true },
    database: { minCapacityUnits: 0.5, maxCapacityUnits: 8, readers: 1 },
    api: { requestsPerSecond: 1000, burstRequests: 2000 },
    publicFlags: { requestsPerSecond: 500, burstRequests: 1000 },
    canary: { percent: 5, minutes: 60 },
  },
};

/**
 * The stage that the context selects (`-c stage=dev`), `dev` when it selects none. What is turned without a change of code comes
 * from the context, too: the phase of the migration (`-c phase=dual`), where the API reads and fills (`-c cacheMode=memory`),
 * and the issuer of tokens (`-c oidcIssuer=https://... -c oidcAudience=...`). All else a team writes into the table above.
 * @throws when there is no such stage, or its configuration is invalid.
 */
export function readStage(node: Node): StageConfig {
  const name: unknown = node.tryGetContext('stage') ?? 'dev';
  if (!isStageName(name)) {
    throw new Error(`stages: stage is ${JSON.stringify(name)}; it must be one of ${STAGE_NAMES.join(', ')}`);
  }
  const stage = STAGES[name];
  const phase = node.tryGetContext('phase') ?? stage.phase;
  const cacheMode = node.tryGetContext('cacheMode') ?? stage.cacheMode;
  return validStage({ ...stage, phase, cacheMode, oidc: oidcIn(node) });
}

/**
 * Whether the stage's database pauses when nobody is connected to it: then nothing may hold a connection that it does not use,
 * and nothing may connect on a schedule.
 */
export function databasePauses({ database }: Pick<StageConfig, 'database'>): boolean {
  return !('existing' in database) && database.minCapacityUnits === 0;
}

function oidcIn(node: Node): StageConfig['oidc'] {
  const [issuer, audience] = [node.tryGetContext('oidcIssuer'), node.tryGetContext('oidcAudience')];
  return issuer || audience ? { issuer: String(issuer ?? ''), audience: String(audience ?? '') } : undefined;
}

function isStageName(name: unknown): name is StageName {
  return STAGE_NAMES.some((known) => known === name);
}
