import { Hono } from 'hono';
import { ProblemError, problemHeaders, problemOf } from '../contract/problem.ts';
import { healthRoutes, type Probe } from './health.ts';

export interface ApiOptions {
  /** The domains' routes, by where they begin. */
  readonly routes: Readonly<Record<string, Hono>>;
  /** What `/ready` asks, by name. */
  readonly probes: Readonly<Record<string, Probe>>;
  /** Told of errors that are no client's fault. */
  readonly onError: (error: unknown) => void;
}

/** The serverless backend's API. Errors leave as problem documents; an unexpected one says nothing of its cause. */
export function createApi({ routes, probes, onError }: ApiOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    c.header('x-backend', 'serverless');
    await next();
  });
  app.onError((error, c) => {
    if (!(error instanceof ProblemError)) onError(error);
    const problem = problemOf(error);
    return c.body(JSON.stringify(problem), problem.status as 400, problemHeaders(error));
  });
  app.notFound((c) => {
    throw new ProblemError(404, `no route for ${c.req.method} ${JSON.stringify(c.req.path.slice(0, 80))}`);
  });
  app.route('/', healthRoutes(probes));
  for (const [path, domain] of Object.entries(routes)) app.route(path, domain);
  return app;
}
