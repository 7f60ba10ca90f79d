import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import { correlationId } from './correlation.ts';

/** Where a component tells what happens to it. */
export type Logger = {
  readonly [level in 'info' | 'warn' | 'error']: (
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
};

/**
 * A structured logger; its level is LOG_LEVEL's (default INFO). A line names the request that it belongs to, where that can be told.
 * Keys, values and secrets are not for it.
 */
export function createLogger(serviceName: string): Logger {
  const logger = new PowertoolsLogger({ serviceName });
  const told = (fields: Readonly<Record<string, unknown>> = {}) => {
    const id = correlationId();
    return id === undefined ? fields : { ...fields, correlation_id: id };
  };
  return {
    info: (message, fields) => logger.info(message, told(fields)),
    warn: (message, fields) => logger.warn(message, told(fields)),
    error: (message, fields) => logger.error(message, told(fields)),
  };
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
