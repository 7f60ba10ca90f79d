import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';

/** What a request to AWS is signed with. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Whose tokens are signed: where it is said, for messages. */
export interface Signing {
  /** What a message begins with, as `redis`. */
  readonly origin: string;
  /** The variable that asks for tokens, as `REDIS_AUTH`. */
  readonly variable: string;
}

/** Reads AWS_REGION. @throws ConfigurationError where it is not set. */
export function awsRegionOf(environment: Environment, { origin, variable }: Signing): string {
  const { AWS_REGION: region } = environment;
  if (region) return region;
  throw new ConfigurationError(
    `${origin}: AWS_REGION is not set, and ${variable}=iam signs for a region; set it to that of the server`,
  );
}

/**
 * Reads the credentials of the role, which are replaced while the process runs.
 * @throws ConfigurationError naming what is not set.
 */
export function awsCredentialsOf(environment: Environment, { origin, variable }: Signing): AwsCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const { AWS_SESSION_TOKEN: sessionToken } = environment;
  if (!accessKeyId || !secretAccessKey) {
    const missing = accessKeyId ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID';
    throw new ConfigurationError(
      `${origin}: ${missing} is not set, and ${variable}=iam signs with it; Lambda sets it, elsewhere export the credentials of a role`,
    );
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}
