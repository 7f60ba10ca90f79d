import { ConfigurationError } from '../contract/errors.ts';

/** Where a migration stands. This version serves the two phases of the `v2:` migration. */
export type Phase = 'legacy' | 'isolated';

/** The environment, or a part of it: `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

const ON = new Set(['true', '1']);
const OFF = new Set(['false', '0', '', undefined]);

/**
 * Reads a switch: `true|1`, or `false|0` or unset.
 * @throws ConfigurationError for any other value.
 */
export function readSwitch(environment: Environment, name: string): boolean {
  const value = environment[name];
  if (ON.has(value ?? '')) return true;
  if (OFF.has(value)) return false;
  throw new ConfigurationError(
    `cache: ${name}=${value} is not a switch; use true, false, 1 or 0, or unset it`,
  );
}

/**
 * The phase that the environment selects: `isolated` with `MIGRATION_MODE`, else `legacy`.
 * @throws ConfigurationError naming the variables of a combination that cannot be served.
 */
export function phaseOf(environment: Environment): Phase {
  const on = ['CW_CACHE_PREFIX_ENABLED', 'CW_CACHE_DUAL_WRITE'].filter((name) =>
    readSwitch(environment, name),
  );
  const isolated = readSwitch(environment, 'MIGRATION_MODE');
  if (on.length > 0) {
    const also = isolated ? ', and MIGRATION_MODE excludes it' : '';
    throw new ConfigurationError(
      `cache: ${on.join(' and ')} is set, but this version serves the phases legacy and isolated only${also}; unset ${on.join(' and ')}`,
    );
  }
  return isolated ? 'isolated' : 'legacy';
}

const ENVIRONMENT_NAME = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * The name in `cw:{env}:`, from `NODE_ENV` or what else `source` says; the same in every process on one Redis.
 * @throws ConfigurationError when it is missing or could not be part of a key.
 */
export function environmentName(value: string | undefined, source = 'NODE_ENV'): string {
  if (value !== undefined && ENVIRONMENT_NAME.test(value)) return value;
  throw new ConfigurationError(
    `cache: ${source}=${value ?? ''} cannot name a namespace; set it to 1-32 letters, digits, "-" or "_", the same for both backends`,
  );
}
