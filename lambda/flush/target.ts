import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';
import { redisOptionsOf } from '../redis/options.ts';
import type { Target } from './pass/servers.ts';

/** Which Redis a command or a function works on. @throws ConfigurationError naming the variable, its value and the remedy. */
export function targetOf(environment: Environment, origin: string): Target {
  const target = redisOptionsOf(environment);
  if (target) return target;
  throw new ConfigurationError(`${origin}: REDIS_URL is not set; it is redis://host:6379`);
}
