/**
 * The environment variables of each deployed function: what `lib/` sets and what the function reads.
 * A test compares both sides with this list.
 */
export const FUNCTION_ENVIRONMENT = {
  api: ['NODE_ENV', 'REDIS_URL', 'DATABASE_URL', 'MIGRATION_MODE', 'CACHE_MODE', 'LOG_LEVEL'],
  'flush-worker': ['NODE_ENV', 'REDIS_URL', 'DRY_RUN', 'LOG_LEVEL'],
  migrate: ['DATABASE_URL', 'LOG_LEVEL'],
} as const;

/** A deployed function: the name of its file in `lambda/functions/`. */
export type FunctionName = keyof typeof FUNCTION_ENVIRONMENT;

/** The variables that a function reads. */
export type EnvironmentOf<Name extends FunctionName> = Record<
  (typeof FUNCTION_ENVIRONMENT)[Name][number],
  string
>;
