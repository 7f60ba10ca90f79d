import { ConfigurationError } from '../contract/errors.ts';

/** The length of the canary, by CANARY_MINUTES; 0 where there is none. @throws ConfigurationError for anything else. */
export function canaryMinutes(value: string | undefined): number {
  if (/^\d{1,4}$/.test(value ?? '')) return Number(value);
  throw new ConfigurationError(
    `hooks: CANARY_MINUTES is ${JSON.stringify(value)}; it must be the length of the canary in minutes, 0 without one`,
  );
}
