import { createRemoteJWKSet, errors, type RemoteJWKSet } from 'jose';
import * as v from 'valibot';
import { ProblemError } from '../../lambda/contract/problem.ts';
import type { Environment } from '../../lambda/contract/switches.ts';
import { UsageError } from '../options.ts';
import type { Issuer } from './authorizer.ts';

const DISCOVERY_TIMEOUT_MS = 5000;

/**
 * The issuer that OIDC_ISSUER and OIDC_AUDIENCE name; undefined where neither is set. It is asked when the first token
 * comes: its keys are kept for 10 minutes, and asked for again for a token that names a new one, twice a minute at the most.
 * @throws UsageError naming the variable.
 */
export function oidcIssuerOf(environment: Environment): Issuer | undefined {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience } = environment;
  if (!issuer && !audience) return undefined;
  if (!issuer) throw unpaired('OIDC_AUDIENCE', 'OIDC_ISSUER');
  if (!audience) throw unpaired('OIDC_ISSUER', 'OIDC_AUDIENCE');
  if (!isTrusted(issuer) || /[?#]/.test(issuer)) {
    throw new UsageError(
      `serve: OIDC_ISSUER=${issuer} is no https:// URL without query and fragment (http:// on localhost only); write it as the tokens do in "iss"`,
    );
  }
  return { issuer, audience, keyOf: keysOf(issuer) };
}

const unpaired = (set: string, missing: string) =>
  new UsageError(`serve: ${set} is set without ${missing}; set both, or neither for a local issuer`);

function keysOf(issuer: string): Issuer['keyOf'] {
  let keys: RemoteJWKSet | undefined;
  return async (header, token) => {
    try {
      // Kept once it was found: an issuer that was away is asked again.
      keys ??= createRemoteJWKSet(await discover(issuer));
      return await keys(header, token);
    } catch (error) {
      if (isFaultOfToken(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ProblemError(503, `the keys of the issuer ${issuer} cannot be had now: ${reason}`);
    }
  };
}

const isFaultOfToken = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;

/** Where the issuer's keys are (OpenID Connect Discovery 1.0, section 4). */
async function discover(issuer: string): Promise<URL> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(url, {
    // A redirect could lead to where anybody answers.
    redirect: 'error',
    signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS),
  });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  const metadata = v.object({
    issuer: v.literal(issuer),
    jwks_uri: v.pipe(v.string(), v.check(isTrusted, 'jwks_uri is no https:// URL')),
  });
  return new URL(v.parse(metadata, await answer.json()).jwks_uri);
}

/** Whoever answers there decides who may write: nobody in between may. */
function isTrusted(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
