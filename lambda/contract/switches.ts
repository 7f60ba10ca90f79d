import { ConfigurationError } from './errors.ts';

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
    `cutover: ${name}=${value} is not a switch; use true, false, 1 or 0, or unset it`,
  );
}
