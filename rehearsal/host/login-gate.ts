import { LOGIN_PATH } from '../../lambda/contract/session-routes.ts';
import type { Gate } from './host.ts';

/**
 * Stands where a stage has its JWT authorizer, and believes everybody: whoever logs in says who it is, `{ "userId", "role" }`. For
 * a rehearsal on one machine alone; the handler takes what it adds for the claims of a good token.
 */
export const believeEverybody: Gate = async (event) => {
  if (event.rawPath !== LOGIN_PATH || event.requestContext.http.method !== 'POST') return event;
  const { userId, role } = bodyOf(event.body);
  const authorizer = { jwt: { claims: { sub: userId, role }, scopes: null } };
  return { ...event, requestContext: { ...event.requestContext, authorizer } } as unknown as typeof event;
};

/** What cannot be read says nobody, and the handler refuses it. */
function bodyOf(body: string | undefined): { userId?: unknown; role?: unknown } {
  try {
    const parsed: unknown = JSON.parse(body ?? '');
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
