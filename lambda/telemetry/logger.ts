import { Logger } from '@aws-lambda-powertools/logger';

export type { Logger };

/** A structured logger; its level is LOG_LEVEL's (default INFO). Keys, values and secrets are not for it. */
export function createLogger(serviceName: string): Logger {
  return new Logger({ serviceName });
}

/** What of an error may be logged: drivers hang their connection on theirs, with its secrets. */
export type ErrorFields = Readonly<Record<'error' | 'reason' | 'code' | 'stack', string | undefined>>;

export function errorFields(error: unknown): ErrorFields {
  if (!(error instanceof Error)) {
    return { error: 'unknown', reason: String(error), code: undefined, stack: undefined };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { error: error.name, reason: error.message, code, stack: error.stack };
}
