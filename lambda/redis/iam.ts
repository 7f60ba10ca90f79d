import type { RedisClientOptions } from '@redis/client';

/** What a request to AWS is signed with. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

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

/** As long as AWS accepts a token: docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html, "Limitations". */
const TOKEN_VALID_SECONDS = 900;
/** AWS cuts a connection 12 h after its last authentication (the same page): half of it leaves a second try. */
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
 * A token: the URL of a `connect` request to the cache, presigned with Signature Version 4, without its scheme.
 * Signed on this machine; nothing is sent. Source: the page named above, "Connecting".
 * @throws what `credentials` throws.
 */
export async function iamToken(options: IamOptions, user: string): Promise<string> {
  const { cache, region } = options;
  const credentials = options.credentials();
  // Loaded here, so that those who use a password do not pay for it in their cold start.
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@aws-crypto/sha256-js'),
  ]);
  const signer = new SignatureV4({
    service: 'elasticache',
    region,
    credentials,
    sha256: Sha256,
  });
  // AWS knows caches by their name in lower case.
  const hostname = cache.toLowerCase();
  const request = {
    method: 'GET',
    protocol: 'https:',
    hostname,
    path: '/',
    query: { Action: 'connect', User: user },
    headers: { host: hostname },
  };
  const { query } = await signer.presign(request, { expiresIn: TOKEN_VALID_SECONDS });
  const parameters = Object.entries(query ?? {}).map(
    ([name, value]) => `${escaped(name)}=${escaped(String(value))}`,
  );
  return `${hostname}/?${parameters.join('&')}`;
}

/** As RFC 3986 and Signature Version 4 have it. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
