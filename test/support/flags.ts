/** The admin routes of the flags, for tests: who calls them has a token already. */
import type { Authorizer } from '../../lambda/request/authorization.ts';
import type { Handler } from '../../rehearsal/host/host.ts';

/** What API Gateway's authorizer says of a token that may write flags. */
export const ADMIN: Authorizer = { jwt: { claims: { sub: 'admin', scope: 'flags:write' } } };

/** A handler each of whose requests has such a token. */
export function asAdmin(handler: Handler): Handler {
  return (event) => {
    const requestContext = { ...event.requestContext, authorizer: ADMIN };
    return handler({ ...event, requestContext });
  };
}
