import { awsCredentialsOf, awsRegionOf } from '../aws/credentials.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { type Environment, readSwitch } from '../contract/switches.ts';
import type { RedisOptions } from './connection.ts';
import { endpointOf, requireNoDatabase, withoutUser } from './endpoint.ts';
import type { IamOptions } from './iam.ts';

/** Which Redis a process connects to, and how it shows who it is. */
export type RedisTarget = Pick<RedisOptions, 'url' | 'cluster' | 'iam'>;

/**
 * Reads REDIS_URL, REDIS_PASSWORD (instead of one in the URL, where it would have to be %-encoded), REDIS_CLUSTER, REDIS_AUTH (`url`, the default, or `iam`) and, for the latter, REDIS_IAM_CACHE,
 * AWS_REGION and at each connection the credentials of the role. Undefined where REDIS_URL is not set.
 * @throws ConfigurationError naming the variable, its value and the remedy.
 */
export function redisOptionsOf(environment: Environment): RedisTarget | undefined {
  const { REDIS_URL: url, REDIS_PASSWORD } = environment;
  if (!url) return undefined;
  const endpoint = withPassword(endpointOf(url), environment);
  const cluster = readSwitch(environment, 'REDIS_CLUSTER');
  if (cluster) requireNoDatabase(endpoint);
  return { url: REDIS_PASSWORD ? endpoint.href : url, cluster, iam: iamOf(environment, endpoint) };
}

function withPassword(endpoint: URL, { REDIS_PASSWORD: password }: Environment): URL {
  if (!password) return endpoint;
  if (endpoint.password) {
    throw new ConfigurationError(
      `redis: REDIS_URL=${withoutUser(endpoint.href)} has a password, and REDIS_PASSWORD is set, too; remove one of them`,
    );
  }
  endpoint.password = encodeURIComponent(password);
  return endpoint;
}

function iamOf(environment: Environment, endpoint: URL): IamOptions | undefined {
  const { REDIS_AUTH: auth = 'url', REDIS_IAM_CACHE: cache } = environment;
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
  const signing = { origin: 'redis', variable: 'REDIS_AUTH' };
  const region = awsRegionOf(environment, signing);
  return { cache, region, credentials: () => awsCredentialsOf(environment, signing) };
}
