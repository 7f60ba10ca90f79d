import { Logger } from '@aws-lambda-powertools/logger';

/** A structured logger; its level is LOG_LEVEL's (default INFO). Keys, values and secrets are not for it. */
export function createLogger(serviceName: string): Logger {
  return new Logger({ serviceName });
}

export type { Logger };
