/**
 * What is said of each server that a function connects to, by the variable with its URL: which one it is, and how a process
 * shows it who it is. Whatever grants the connection sets all of them.
 */
export const ENDPOINT_VARIABLES = {
  REDIS_URL: ['REDIS_URL', 'REDIS_AUTH', 'REDIS_PASSWORD', 'REDIS_CLUSTER', 'REDIS_IAM_CACHE'],
  // The same Redis by a user who only reads: all but the URL is what REDIS_URL has.
  CENSUS_REDIS_URL: ['CENSUS_REDIS_URL'],
  // The same by the user whom the API is: what that one may is tried as it.
  RUNTIME_REDIS_URL: ['RUNTIME_REDIS_URL'],
  DATABASE_URL: ['DATABASE_URL', 'DATABASE_AUTH', 'DATABASE_PASSWORD', 'DATABASE_IDLE'],
} as const;

/** The variable with a server's URL. */
export type EndpointName = keyof typeof ENDPOINT_VARIABLES;
/** A variable that is set by what grants a connection. */
export type EndpointVariable = (typeof ENDPOINT_VARIABLES)[EndpointName][number];

const REDIS = ENDPOINT_VARIABLES.REDIS_URL;
const DATABASE = ENDPOINT_VARIABLES.DATABASE_URL;

/** What a function reads that reads and fills as the API does: other keys would be of no use. */
const CACHED = [
  'NODE_ENV',
  ...REDIS,
  ...DATABASE,
  'MIGRATION_MODE',
  'CW_CACHE_PREFIX_ENABLED',
  'CW_CACHE_DUAL_WRITE',
  'CW_CACHE_EPOCHS_ENABLED',
  'CW_RL_PREFIX_ENABLED',
  'CACHE_MODE',
  'LOG_LEVEL',
] as const;

/**
 * The environment variables of each deployed function: what `lib/` sets and what the function reads.
 * A test compares both sides with this list.
 */
export const FUNCTION_ENVIRONMENT = {
  api: CACHED,
  auditor: ['NODE_ENV', ...REDIS, ...DATABASE, 'LOG_LEVEL'],
  dispatcher: ['NODE_ENV', ...REDIS, ...DATABASE, 'LOG_LEVEL'],
  flush: ['NODE_ENV', 'OPERATOR_FUNCTION', 'LOG_LEVEL'],
  migrate: [...DATABASE, 'DATABASE_APP_ROLE', 'LOG_LEVEL'],
  /** All that the API reads: a cleanup is refused where keys are still read, and the doctor examines what the API is told. */
  operator: [
    ...CACHED,
    ...ENDPOINT_VARIABLES.CENSUS_REDIS_URL,
    ...ENDPOINT_VARIABLES.RUNTIME_REDIS_URL,
    'DRY_RUN',
  ],
  'post-traffic': ['NODE_ENV', 'NEW_VERSION', 'CANARY_MINUTES', 'LOG_LEVEL'],
  'pre-traffic': ['NODE_ENV', 'NEW_VERSION', 'CACHE_MODE', 'CANARY_MINUTES', 'ROLLBACK_ALARMS', 'LOG_LEVEL'],
  /** Those of a rollout; only where the stage has one. */
  'rollout-compare': [
    'LEGACY_ADDRESS',
    'SERVERLESS_ADDRESS',
    'HOST_NAME',
    'COMPARE_PATHS',
    'STOP_PARAMETER',
    'LOG_LEVEL',
  ],
  'rollout-gate': ['NODE_ENV', 'OPERATOR_FUNCTION', 'ALARM_PREFIX', 'API_ID', 'STOP_PARAMETER', 'LOG_LEVEL'],
  'rollout-records': ['HOSTED_ZONE_ID', 'RECORD_NAME', 'LEGACY_TARGET', 'SERVERLESS_TARGET', 'LOG_LEVEL'],
  'rollout-stop': ['STATE_MACHINE', 'STOP_PARAMETER', 'LOG_LEVEL'],
  'rollout-traffic': ['HOSTED_ZONE_ID', 'RECORD_NAME', 'STOP_PARAMETER', 'LOG_LEVEL'],
} as const;

/** A deployed function: the name of its file in `lambda/functions/`. */
export type FunctionName = keyof typeof FUNCTION_ENVIRONMENT;

/** The variables that a function reads. */
export type EnvironmentOf<Name extends FunctionName> = Record<
  (typeof FUNCTION_ENVIRONMENT)[Name][number],
  string
>;

/** The switches that select each phase of a migration. */
export const PHASE_SWITCHES = {
  legacy: { MIGRATION_MODE: 'false', CW_CACHE_PREFIX_ENABLED: '0', CW_CACHE_DUAL_WRITE: '0' },
  isolated: { MIGRATION_MODE: 'true', CW_CACHE_PREFIX_ENABLED: '0', CW_CACHE_DUAL_WRITE: '0' },
  dual: { MIGRATION_MODE: 'false', CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '1' },
  prefixed: { MIGRATION_MODE: 'false', CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '0' },
} as const;

/** Where a migration stands. */
export type Phase = keyof typeof PHASE_SWITCHES;
