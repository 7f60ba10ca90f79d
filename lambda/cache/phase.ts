import type { Phase } from '../contract/environment.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { FAMILIES, type Family } from '../contract/families.ts';
import { type Environment, readSwitch } from '../contract/switches.ts';

export type { Environment, Phase };

/**
 * The phase that the environment selects: `isolated` with MIGRATION_MODE, `dual` with CW_CACHE_PREFIX_ENABLED and
 * CW_CACHE_DUAL_WRITE, `prefixed` with the former alone, else `legacy`.
 * @throws ConfigurationError naming the variables of a combination that is none of these.
 * @example
 * ```ts
 * import { phaseOf } from 'cutover/cache';
 *
 * phaseOf({}); // => 'legacy'
 * phaseOf({ MIGRATION_MODE: 'true' }); // => 'isolated'
 * phaseOf({ CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '1' }); // => 'dual'
 * phaseOf({ CW_CACHE_DUAL_WRITE: '1' }); // throws ConfigurationError
 * ```
 */
export function phaseOf(environment: Environment): Phase {
  const isolated = readSwitch(environment, 'MIGRATION_MODE');
  const prefixed = readSwitch(environment, 'CW_CACHE_PREFIX_ENABLED');
  const dual = readSwitch(environment, 'CW_CACHE_DUAL_WRITE');
  if (isolated && (prefixed || dual)) {
    const other = prefixed ? 'CW_CACHE_PREFIX_ENABLED' : 'CW_CACHE_DUAL_WRITE';
    throw new ConfigurationError(`cache: MIGRATION_MODE and ${other} exclude each other; unset one of them`);
  }
  if (dual && !prefixed) {
    throw new ConfigurationError(
      'cache: CW_CACHE_DUAL_WRITE is set without CW_CACHE_PREFIX_ENABLED; set both, or unset it',
    );
  }
  if (prefixed) return dual ? 'dual' : 'prefixed';
  return isolated ? 'isolated' : 'legacy';
}

const ENVIRONMENT_NAME = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * The name in `cw:{env}:`, from `NODE_ENV` or what else `source` says; the same in every process on one Redis.
 * @throws ConfigurationError when it is missing or could not be part of a key.
 * @example
 * ```ts
 * import { environmentName } from 'cutover/cache';
 *
 * environmentName('production'); // => 'production'
 * environmentName(undefined); // throws ConfigurationError
 * environmentName('cw:production'); // throws ConfigurationError
 * ```
 */
export function environmentName(value: string | undefined, source = 'NODE_ENV'): string {
  if (value !== undefined && ENVIRONMENT_NAME.test(value)) return value;
  throw new ConfigurationError(
    `cache: ${source}=${value ?? ''} cannot name a namespace; set it to 1-32 letters, digits, "-" or "_", the same for both backends`,
  );
}

/**
 * The families with the phases that their own switches give them.
 * @throws ConfigurationError for a value that is not a switch.
 * @example
 * ```ts
 * import { createKeyspace, familiesIn } from 'cutover/cache';
 *
 * const families = familiesIn({ CW_RL_PREFIX_ENABLED: '1' });
 * const { home } = createKeyspace({ phase: 'legacy', env: 'production', families }).locate('rl:login:7');
 * home; // => 'cw:production:rl:login:7'
 * ```
 */
export function familiesIn(environment: Environment, families: readonly Family[] = FAMILIES): Family[] {
  return families.map((family) =>
    family.phaseSwitch === undefined
      ? family
      : { ...family, phase: readSwitch(environment, family.phaseSwitch) ? 'prefixed' : 'legacy' },
  );
}
