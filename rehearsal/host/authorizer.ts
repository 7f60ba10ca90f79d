import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { ProblemError } from '../../lambda/contract/problem.ts';
import { LOGIN_PATH } from '../../lambda/contract/session-routes.ts';
import { noToken } from '../../lambda/request/authorization.ts';
import type { Gate } from './host.ts';

/** Whose tokens are good, and whom they have to be for. */
export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  /** Of its signatures; without them whichever API Gateway takes. */
  readonly algorithms?: readonly string[];
  /** The key that a token names. @throws ProblemError 503 where nobody can be asked for it. */
  readonly keyOf: JWTVerifyGetKey;
}

/** The authorizer of API Gateway takes no others. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512'];

const GUARDED = ['/api/admin/', LOGIN_PATH];

/**
 * What the JWT authorizer of an HTTP API does: lets nobody without a good token to the admin routes and to the login, and hands its claims
 * to the function. What the token grants is the function's question.
 * @returns a gate that throws ProblemError 401 for no token, a bad or an expired one; 503 without the issuer's keys.
 */
export function jwtAuthorizer(issuer: Issuer): Gate {
  return async (event) => {
    if (!GUARDED.some((path) => event.rawPath.startsWith(path))) return event;
    const claims = await verified(event.headers['authorization'], issuer);
    const authorizer = { jwt: { claims: asHandedOver(claims), scopes: scopesOf(claims) } };
    const requestContext = { ...event.requestContext, authorizer };
    return { ...event, requestContext };
  };
}

async function verified(authorization: string | undefined, { keyOf, ...whose }: Issuer): Promise<JWTPayload> {
  if (!authorization) throw noToken();
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (!token) throw refusal('is not "Bearer <token>"');
  try {
    const { payload } = await jwtVerify(token, keyOf, {
      issuer: whose.issuer,
      algorithms: [...(whose.algorithms ?? ALGORITHMS)],
      requiredClaims: ['exp'],
    });
    requireAudience(payload, whose.audience);
    return payload;
  } catch (error) {
    // What they say is of claims by their names, never the token.
    if (error instanceof errors.JWTExpired) throw refusal('has expired; get a new one');
    if (error instanceof errors.JOSEError) throw refusal(`is not good: ${error.message}`);
    throw error;
  }
}

/** As API Gateway does: the access tokens of Amazon Cognito have `client_id` in place of `aud`. */
function requireAudience({ aud, client_id: clientId }: JWTPayload, audience: string): void {
  const audiences = [aud ?? clientId].flat();
  if (!audiences.includes(audience)) throw refusal(`is not for the audience ${audience}`);
}

const refusal = (what: string) => new ProblemError(401, `authorization: the token ${what}`);

/** API Gateway makes a text of each claim, of a list `[a b]`, and leaves out what is null. */
function asHandedOver(claims: JWTPayload): Record<string, string> {
  const told = Object.entries(claims).filter(([, value]) => value !== null);
  return Object.fromEntries(told.map(([name, value]) => [name, textOf(value)]));
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(' ')}]`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `scope` is one text (RFC 8693, section 4.2), `scp` in many an issuer's tokens a list. */
function scopesOf({ scope, scp }: JWTPayload): string[] | null {
  const granted = scope ?? scp;
  if (Array.isArray(granted)) return granted.map(textOf);
  return typeof granted === 'string' ? granted.split(' ') : null;
}
