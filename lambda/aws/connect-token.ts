import type { AwsCredentials } from './credentials.ts';

/** As long as AWS accepts a token; a connection that was made with it lives on. */
const VALID_SECONDS = 900;

/** What a token is for: to connect to a server of a service. */
export interface ConnectRequest {
  readonly service: 'elasticache' | 'rds-db';
  readonly region: string;
  /** As the service's own tools name the server, with a port where they do. */
  readonly host: string;
  /** Who connects: the name of the parameter is the service's. */
  readonly user: { readonly [parameter: string]: string };
}

/**
 * A token that is a password for 15 minutes: the URL of a `connect` request, presigned with Signature Version 4, without its
 * scheme. Signed on this machine; nothing is sent. Sources: docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html,
 * "Connecting", and the same of RDS, whose token `@aws-sdk/rds-signer` makes.
 */
export async function connectToken(
  { service, region, host, user }: ConnectRequest,
  credentials: AwsCredentials,
): Promise<string> {
  // Loaded here, so that those who use a password do not pay for it in their cold start.
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@aws-crypto/sha256-js'),
  ]);
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const request = {
    method: 'GET',
    protocol: 'https:',
    hostname: host,
    path: '/',
    query: { Action: 'connect', ...user },
    headers: { host },
  };
  const { query } = await signer.presign(request, { expiresIn: VALID_SECONDS });
  const parameters = Object.entries(query ?? {})
    .map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`)
    .sort();
  return `${host}/?${parameters.join('&')}`;
}

/** As RFC 3986 and Signature Version 4 have it. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
