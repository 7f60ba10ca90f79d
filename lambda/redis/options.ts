import { ConfigurationError } from '../contract/errors.ts';
import { type Environment, readSwitch } from '../contract/switches.ts';
import type { RedisOptions } from './connection.ts';
import { endpointOf, requireNoDatabase, withoutUser } from './endpoint.ts';
import type { AwsCredentials, IamOptions } from './iam.ts';

/** Which Redis a process connects to, and how it shows who it is. */
export type RedisTarget = Pick<RedisOptions, 'url' | 'cluster' | 'iam'>;

/**
 * Reads REDIS_URL, REDIS_CLUSTER, REDIS_AUTH (`url`, the default, or `iam`) and, for the latter, REDIS_IAM_CACHE,
 * AWS_REGION and at each connection the credentials of the role. Undefined where REDIS_URL is not set.
 * @throws ConfigurationError naming the variable, its value and the remedy.
 */
export function redisOptionsOf(environment: Environment): RedisTarget | undefined {
  const { REDIS_URL: url } = environment;
  if (!url) return undefined;
  const endpoint = endpointOf(url);
  const cluster = readSwitch(environment, 'REDIS_CLUSTER');
  if (cluster) requireNoDatabase(endpoint);
  return { url, cluster, iam: iamOf(environment, endpoint) };
}

function iamOf(environment: Environment, endpoint: URL): IamOptions | undefined {
  const { REDIS_AUTH: auth = 'url', REDIS_IAM_CACHE: cache, AWS_REGION: region } = environment;
  if (auth === 'url' || auth === '') return undefined;
  if (auth !== 'iam') {
    throw new ConfigurationError(
      `redis: REDIS_AUTH=${auth} is none of url, iam; use url for the user and password of REDIS_URL, iam for ElastiCache's tokens`,
    );
  }
  const shown = `REDIS_URL=${withoutUser(endpoint.href)}`;
  if (endpoint.protocol !== 'rediss:') {
    throw new ConfigurationError(
      `redis: ${shown} has no TLS, and REDIS_AUTH=iam needs it; write rediss:// in REDIS_URL`,
    );
  }
  if (!endpoint.username || endpoint.password) {
    const what = endpoint.password ? 'a password' : 'no user';
    throw new ConfigurationError(
      `redis: ${shown} names ${what}, and REDIS_AUTH=iam makes the password of a user; write rediss://user@host:6379`,
    );
  }
  if (!cache) {
    throw new ConfigurationError(
      'redis: REDIS_IAM_CACHE is not set, and REDIS_AUTH=iam signs for a cache; set it to the id of the replication group',
    );
  }
  if (!region) {
    throw new ConfigurationError(
      'redis: AWS_REGION is not set, and REDIS_AUTH=iam signs for a region; set it to that of the cache',
    );
  }
  return { cache, region, credentials: () => awsCredentialsOf(environment) };
}

function awsCredentialsOf(environment: Environment): AwsCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const { AWS_SESSION_TOKEN: sessionToken } = environment;
  if (!accessKeyId || !secretAccessKey) {
    const missing = accessKeyId ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID';
    throw new ConfigurationError(
      `redis: ${missing} is not set, and REDIS_AUTH=iam signs with it; Lambda sets it, elsewhere export the credentials of a role`,
    );
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}
