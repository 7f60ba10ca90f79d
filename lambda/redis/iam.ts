import type { RedisClientOptions } from '@redis/client';
import { connectToken } from '../aws/connect-token.ts';
import type { AwsCredentials } from '../aws/credentials.ts';

/** ElastiCache's IAM authentication. */
export interface IamOptions {
  /** The name of the cache: the id of its replication group. */
  readonly cache: string;
  readonly region: string;
  /** Asked for each token: those of a role are replaced while the process runs. */
  readonly credentials: () => AwsCredentials;
  /** How often a live connection is authenticated again. */
  readonly reauthenticateEveryMs?: number;
}

/**
 * AWS cuts a connection 12 h after its last authentication (docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html,
 * "Limitations"): half of it leaves a second try.
 */
const REAUTHENTICATE_EVERY_MS = 6 * 60 * 60 * 1000;

type Provider = Extract<
  NonNullable<RedisClientOptions['credentialsProvider']>,
  { type: 'streaming-credentials-provider' }
>;

/** What node-redis asks for a user and a password. */
export interface IamCredentials {
  /** A new token at each connection, and on the live one before AWS would cut it. */
  readonly provider: Provider;
  /** No token follows, not even one that is being signed. */
  dispose(): void;
}

/**
 * Credentials whose password is an IAM token, for one client and its connections, one after another.
 * @param onError told when a live connection could not be authenticated again; the next try follows by itself.
 */
export function iamCredentials(
  options: IamOptions,
  { user, onError }: { user: string; onError: (error: Error) => void },
): IamCredentials {
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  const credentials = async () => ({ username: user, password: await iamToken(options, user) });
  const dispose = () => {
    disposed = true;
    clearInterval(timer);
  };
  return {
    provider: {
      type: 'streaming-credentials-provider',
      async subscribe({ onNext }) {
        const first = await credentials();
        // The library subscribes anew at each reconnection, without disposing of the subscription before.
        clearInterval(timer);
        if (disposed) return [first, { dispose }];
        timer = setInterval(
          () => void credentials().then((next) => !disposed && onNext(next), onError),
          options.reauthenticateEveryMs ?? REAUTHENTICATE_EVERY_MS,
        );
        timer.unref();
        return [first, { dispose }];
      },
      onReAuthenticationError: (error) => {
        if (!disposed) onError(error);
      },
    },
    dispose,
  };
}

/**
 * A token for a user of the cache.
 * @throws what `credentials` throws.
 */
export async function iamToken({ cache, region, credentials }: IamOptions, user: string): Promise<string> {
  // AWS knows caches by their name in lower case.
  const request = {
    service: 'elasticache',
    region,
    host: cache.toLowerCase(),
    user: { User: user },
  } as const;
  return connectToken(request, credentials());
}
