import { FLAGS_SCOPE, PUBLIC_FLAG_ROUTES, PUBLIC_FLAGS_THROTTLE } from '../../lambda/contract/flag-routes.ts';
import type { Environment } from '../../lambda/contract/switches.ts';
import { jwtAuthorizer } from './authorizer.ts';
import type { Gate } from './host.ts';
import { localIssuer, TOKEN_HOURS } from './local-issuer.ts';
import { oidcIssuerOf } from './oidc-issuer.ts';
import { throttleRoutes } from './throttle.ts';

/** Who is let in to a host that serves people. */
export interface Admission {
  readonly gates: readonly Gate[];
  /** What to print: whose tokens may write at this URL, with one that may where the issuer is our own. */
  howToWrite(url: string): string;
}

/**
 * The gates of `serve`: the throttle of the public flag routes, and the admin routes for tokens of the issuer that the
 * environment names, else of one of our own.
 * @throws UsageError naming the variable.
 */
export async function admissionOf(environment: Environment): Promise<Admission> {
  const throttle = throttleRoutes(PUBLIC_FLAG_ROUTES, PUBLIC_FLAGS_THROTTLE);
  const given = oidcIssuerOf(environment);
  if (given) {
    const { issuer, audience } = given;
    return {
      gates: [throttle, jwtAuthorizer(given)],
      howToWrite: () => `admin    tokens of ${issuer} for ${audience}, with the scope ${FLAGS_SCOPE}`,
    };
  }
  const { issuer, token } = await localIssuer(FLAGS_SCOPE);
  return {
    gates: [throttle, jwtAuthorizer(issuer)],
    howToWrite: (url) =>
      [
        `admin    a token for ${TOKEN_HOURS} hours, with the scope ${FLAGS_SCOPE}; in another shell:`,
        '',
        `TOKEN=${token}`,
        `curl -X POST ${url}/api/admin/flags -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"key":"new-menu","enabled":true}'`,
      ].join('\n'),
  };
}
