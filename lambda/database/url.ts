import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';

/** Reads DATABASE_URL. @throws ConfigurationError, in the name of `origin`, where it is not set. */
export function databaseUrlOf(environment: Environment, origin: string): string {
  const { DATABASE_URL: url } = environment;
  if (url) return url;
  throw new ConfigurationError(
    `${origin}: DATABASE_URL is not set; it is postgresql://user:password@host:5432/name`,
  );
}
