import type { Route } from './flag-routes.ts';

/** Where a session begins: for a token that the stage's authorizer has found good, which says who it is by `sub` and `role`. */
export const LOGIN_PATH = '/api/sessions/login';

export const LOGIN_ROUTE: Route = { method: 'POST', path: LOGIN_PATH };
