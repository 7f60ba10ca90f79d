import { ConfigurationError } from '../contract/errors.ts';

/**
 * A URL of Redis, parsed.
 * @throws ConfigurationError for any other; its message leaves out what may be a password.
 */
export function endpointOf(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.hostname && ['redis:', 'rediss:'].includes(parsed.protocol) && isDecodable(parsed))
    return parsed;
  throw new ConfigurationError(
    `redis: REDIS_URL=${withoutUser(url)} is not a redis:// or rediss:// URL; write redis://host:6379, user and password %-encoded`,
  );
}

/** @throws ConfigurationError: a cluster has one database, 0. */
export function requireNoDatabase(endpoint: URL): void {
  if (['', '/', '/0'].includes(endpoint.pathname)) return;
  throw new ConfigurationError(
    `redis: REDIS_URL=${withoutUser(endpoint.href)} names database ${endpoint.pathname.slice(1)}, and REDIS_CLUSTER is set: a cluster has only database 0; remove it from the URL`,
  );
}

/** The same with another server: scheme, user and password are those of all nodes of a cluster. */
export function urlOfNode(endpoint: URL, { host, port }: { host: string; port: number | string }): string {
  const url = new URL(endpoint);
  url.hostname = host.includes(':') ? `[${host}]` : host;
  url.port = String(port);
  return url.href;
}

/** The URL as a message may show it. */
export function withoutUser(url: string): string {
  return url.replace(/\/\/.*@/, '//***@').slice(0, 80);
}

function isDecodable({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}
