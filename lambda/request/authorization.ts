import type { Context } from 'hono';
import { ProblemError } from '../contract/problem.ts';

/** What a JWT authorizer of an HTTP API says of a token that it has found good. */
export interface Authorizer {
  readonly jwt?: { readonly claims?: Readonly<Record<string, unknown>> };
}

/**
 * The subject of the request's token. The token itself was checked before the request came here.
 * @throws ProblemError 401 without a token, 403 for one that does not grant the scope.
 */
export function requireScope(c: Context, scope: string): string {
  const claims = claimsOf(c);
  if (!claims) throw noToken();
  if (!scopesOf(claims).includes(scope)) {
    throw new ProblemError(403, `the token does not grant the scope ${scope}`);
  }
  const { sub } = claims;
  if (typeof sub === 'string' && sub !== '') return sub;
  throw new ProblemError(403, 'the token names no subject (sub), and a change needs an author');
}

/** What a request without a token is answered, here and where tokens are checked. */
export const noToken = (): ProblemError =>
  new ProblemError(401, 'authorization has no token; send "Authorization: Bearer <token>"');

/** The claims of a token that an authorizer has found good; undefined for a request that came without one. */
export const claimsOf = ({ env }: Context): Readonly<Record<string, unknown>> | undefined =>
  authorizerOf(env)?.jwt?.claims;

function authorizerOf(env: unknown): Authorizer | undefined {
  const { event } = (env ?? {}) as { event?: { requestContext?: { authorizer?: Authorizer } } };
  return event?.requestContext?.authorizer;
}

/** `scope` is one text (RFC 8693, section 4.2), `scp` a list; API Gateway writes a list as `[a b]`. */
function scopesOf({ scope, scp }: Readonly<Record<string, unknown>>): string[] {
  const granted = scope ?? scp ?? '';
  return (Array.isArray(granted) ? granted.join(' ') : String(granted).replace(/^\[(.*)\]$/, '$1')).split(
    /\s+/,
  );
}
