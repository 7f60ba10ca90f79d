import { handle, type LambdaEvent } from 'hono/aws-lambda';
import type { Environment } from '../cache/phase.ts';
import { createCollections } from '../collections/service.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { createPool } from '../database/pool.ts';
import { createLogger, errorFields } from '../telemetry/logger.ts';
import { createApi } from './app.ts';
import { type CreateCache, wireCache } from './wire-cache.ts';

/** An event of an HTTP API, payload 2.0. */
type HttpApiEvent = Extract<LambdaEvent, { version: string; rawPath: string; rawQueryString: string }>;

/**
 * Wires the API from its environment: a handler of API Gateway's HTTP API events (payload 2.0).
 * @param create makes the cache; the rehearsal's naive variant passes its own.
 * @throws ConfigurationError naming the variable.
 */
export async function apiHandler(environment: Environment, create?: CreateCache) {
  const { DATABASE_URL: url } = environment;
  if (!url) {
    throw new ConfigurationError(
      'api: DATABASE_URL is not set; it is postgresql://user:password@host:5432/name',
    );
  }
  const logger = createLogger('cutover-api');
  const { cache, send } = await wireCache(environment, { logger, create });
  const database = createPool({
    url,
    applicationName: 'cutover-api',
    onError: (error) => logger.warn('database connection error', errorFields(error)),
  });
  const app = createApi({
    collections: createCollections({ cache, database }),
    probes: {
      ...(send && { redis: () => send(['PING']) }),
      postgres: () => database.query('SELECT 1'),
    },
    onError: (error) => logger.error('request failed', errorFields(error)),
  });
  const answer = handle(app);
  return (event: HttpApiEvent) => answer({ ...event, rawPath: encoded(event.rawPath) });
}

/** API Gateway may hand over a decoded path, and a URL drops or reads as its own what is in it then. */
const encoded = (rawPath: string) => rawPath.replace(/[\u0000-\u0020?#\\\u007f]/g, encodeURIComponent);
