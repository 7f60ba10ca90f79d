import { awsCredentialsOf, awsRegionOf } from '../aws/credentials.ts';
import { ConfigurationError } from '../contract/errors.ts';
import type { Environment } from '../contract/switches.ts';
import { iamToken } from './iam.ts';
import type { PoolOptions } from './pool.ts';

/** Which database a process connects to, how it shows who it is, and whether it holds connections. */
export type DatabaseOptions = Pick<PoolOptions, 'url' | 'password' | 'idle'>;

/**
 * Reads DATABASE_URL, and of it:
 * - DATABASE_AUTH: `url`, the default, for the user and password of the URL, or `iam` for a user and tokens of RDS, signed at each
 *   connection with AWS_REGION and the credentials of the role;
 * - DATABASE_PASSWORD, instead of one in the URL, where it would have to be %-encoded;
 * - DATABASE_IDLE: `keep`, the default, or `close` for a database that pauses.
 * @throws ConfigurationError, in the name of `origin`, naming the variable, its value and the remedy. No message holds a password.
 */
export function databaseOptionsOf(environment: Environment, origin: string): DatabaseOptions {
  const { DATABASE_URL: url, DATABASE_PASSWORD: password } = environment;
  const { DATABASE_AUTH: auth, DATABASE_IDLE: idle } = environment;
  if (!url) {
    throw new ConfigurationError(
      `${origin}: DATABASE_URL is not set; it is postgresql://user:password@host:5432/name`,
    );
  }
  const options = {
    url: password ? withPassword(url, password, origin) : url,
    idle: oneOf(['keep', 'close'], { value: idle, name: 'DATABASE_IDLE', origin }),
  };
  if (oneOf(['url', 'iam'], { value: auth, name: 'DATABASE_AUTH', origin }) === 'url') return options;
  return { ...options, password: iamPasswordOf(environment, parsed(options.url, origin), origin) };
}

/** The first where nothing is set. */
function oneOf<const T extends string>(
  known: readonly [T, ...T[]],
  { value, name, origin }: { value: string | undefined; name: string; origin: string },
): T {
  const found = known.find((each) => each === (value || known[0]));
  if (found) return found;
  throw new ConfigurationError(`${origin}: ${name}=${value} is none of ${known.join(', ')}; use one of them`);
}

function parsed(url: string, origin: string): URL {
  if (URL.canParse(url)) return new URL(url);
  throw new ConfigurationError(
    `${origin}: DATABASE_URL=${shown(url)} is no URL; write postgresql://user:password@host:5432/name, user and password %-encoded`,
  );
}

function withPassword(url: string, password: string, origin: string): string {
  const address = parsed(url, origin);
  if (address.password) {
    throw new ConfigurationError(
      `${origin}: DATABASE_URL=${shown(url)} has a password, and DATABASE_PASSWORD is set, too; remove one of them`,
    );
  }
  address.password = encodeURIComponent(password);
  return address.href;
}

function iamPasswordOf(environment: Environment, address: URL, origin: string): () => Promise<string> {
  const refuse = (what: string, remedy: string): never => {
    throw new ConfigurationError(`${origin}: DATABASE_URL=${shown(address.href)} ${what}; ${remedy}`);
  };
  const { username, password, hostname: host, port, searchParams } = address;
  if (!username || password) {
    refuse(
      `has ${password ? 'a password' : 'no user'}, and DATABASE_AUTH=iam makes the password of a user`,
      'write postgresql://user@host:5432/name and leave DATABASE_PASSWORD unset',
    );
  }
  if (searchParams.get('sslmode') !== 'verify-full') {
    refuse('has no TLS that is verified, and DATABASE_AUTH=iam needs it', 'end it with ?sslmode=verify-full');
  }
  const signing = { origin, variable: 'DATABASE_AUTH' };
  const region = awsRegionOf(environment, signing);
  const credentials = () => awsCredentialsOf(environment, signing);
  const user = decodeURIComponent(username);
  return () => iamToken({ host, port: port || '5432', user, region, credentials });
}

/** The URL as a message may show it. */
const shown = (url: string): string => url.replace(/\/\/.*@/, '//***@').slice(0, 80);
