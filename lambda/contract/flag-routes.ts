/**
 * What stands before the handler on the routes of the feature flags, on API Gateway and in the local host: who checks what,
 * and how much passes.
 */

/** A route as API Gateway has it: `{name}` in its path is any text without a slash. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
}

/** What everybody may read, throttled route by route. */
export const PUBLIC_FLAG_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/api/config/flags' },
  { method: 'HEAD', path: '/api/config/flags' },
  { method: 'GET', path: '/api/config/flags/{flagKey}' },
  { method: 'HEAD', path: '/api/config/flags/{flagKey}' },
];

/** What a token of the scope may change. */
export const ADMIN_FLAG_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/api/admin/flags' },
  { method: 'PATCH', path: '/api/admin/flags/{flagKey}' },
  { method: 'DELETE', path: '/api/admin/flags/{flagKey}' },
];

/** How API Gateway names a route: `GET /api/config/flags`. */
export const routeKeyOf = ({ method, path }: Route): string => `${method} ${path}`;

/** What a token has to grant for a write. */
export const FLAGS_SCOPE = 'flags:write';

/** A limit of all clients together: on average, and at once after a pause. */
export interface Throttle {
  readonly requestsPerSecond: number;
  readonly burstRequests: number;
}

/** The limit of each public route, where a stage does not name another one. */
export const PUBLIC_FLAGS_THROTTLE: Throttle = { requestsPerSecond: 50, burstRequests: 100 };
