import { CutoverError } from '../contract/errors.ts';
import { ConnectionTimeoutError, SocketClosedUnexpectedlyError } from './node-redis.ts';

/** Redis cannot be asked now: not connected, and not within the time that a command may wait. */
export class RedisUnavailableError extends CutoverError {
  override readonly name = 'RedisUnavailableError';
  readonly code = 'CUTOVER_REDIS_UNAVAILABLE';
}

/** A connection could not be made secure; the message names the remedy. */
export class RedisTlsError extends CutoverError {
  override readonly name = 'RedisTlsError';
  readonly code = 'CUTOVER_REDIS_TLS';
}

/** Redis does not accept the user or its password; the message names the remedy. */
export class RedisAuthError extends CutoverError {
  override readonly name = 'RedisAuthError';
  readonly code = 'CUTOVER_REDIS_AUTH';
}

/** What the connection was when its error came. */
export interface ErrorContext {
  /** Whether the URL asks for TLS. */
  readonly tls: boolean;
  /** Whether the password is an IAM token. */
  readonly iam: boolean;
  /** Whether the socket was open, and the server had not greeted yet. */
  readonly handshaking: boolean;
}

/** Node's and OpenSSL's codes of a certificate that is not accepted, or of a peer that speaks no TLS. */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** An error of a connection, with the remedy where its cause is one of configuration. */
export function explained(error: Error, { tls, iam, handshaking }: ErrorContext): Error {
  const code = codeOf(error);
  if (TLS_CODES.test(code)) {
    return new RedisTlsError(`redis: ${error.message}; ${tlsRemedy(code)}`, { cause: error });
  }
  // A server that expects what the other one does not say either goes on listening or hangs up.
  if (tls && error instanceof ConnectionTimeoutError) {
    const remedy =
      'open its port to this process (security group), or write redis:// in REDIS_URL if it has no TLS';
    return new RedisUnavailableError(`redis: ${error.message}; ${remedy}`, { cause: error });
  }
  const hungUp = code === 'ECONNRESET' || error instanceof SocketClosedUnexpectedlyError;
  if (!tls && handshaking && hungUp) {
    const remedy = 'if the server expects TLS, write rediss:// in REDIS_URL';
    return new RedisUnavailableError(`redis: ${error.message} during the handshake; ${remedy}`, {
      cause: error,
    });
  }
  if (/^(WRONGPASS|NOAUTH) /.test(error.message)) {
    const remedy = iam
      ? 'the role needs elasticache:Connect on cache and user, REDIS_IAM_CACHE is the name of the cache, and the id of the user equals its name'
      : 'correct the user and the password of REDIS_URL';
    return new RedisAuthError(`redis: ${error.message}; ${remedy}`, { cause: error });
  }
  return error;
}

function tlsRemedy(code: string): string {
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return 'name a port with TLS in REDIS_URL, or write redis:// for one without';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'name a host of its certificate in REDIS_URL';
  if (code.startsWith('CERT_')) return 'renew the certificate of the server, or correct the clock';
  return 'set NODE_EXTRA_CA_CERTS to the PEM file of the CA that signed its certificate';
}

/** A refusal that says why, with the last error of the connection as its cause. */
export function unavailable(what: string, cause: Error | undefined): RedisUnavailableError {
  const why = cause && `: ${(cause.message || cause.name).replace(/^redis: /, '')}`;
  return new RedisUnavailableError(`redis: ${what}${why ?? ''}`, { cause });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
