import { once } from 'node:events';
import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type RequestHandler, type Response } from 'express';
import { ConfigurationError } from '../../lambda/contract/errors.ts';
import { PROBLEM_TYPE } from '../../lambda/contract/problem.ts';
import { bundlePage, type Page } from './bundle.ts';
import { ACTIONS, type ActionName, type ConsoleSource } from './contract.ts';
import { refusalOf } from './guard.ts';
import { createStream } from './stream.ts';

export interface ConsoleOptions {
  readonly source: ConsoleSource;
  /** Default: a free one. */
  readonly port?: number | undefined;
}

export interface Console {
  readonly url: string;
  /** Tells who looks the last state, and ends. */
  close(): Promise<void>;
}

const MAX_CLIENTS = 32;
const MAX_BODY = '1kb';
/** For those who read slowly what is told last. */
const FAREWELL_MS = 1000;

const HEADERS = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * Serves the console on a loopback port, to this machine's own pages only.
 * @throws ConfigurationError for a port that is taken.
 */
export async function startConsole({ source, port = 0 }: ConsoleOptions): Promise<Console> {
  const stream = createStream(source);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((request, response, next) => {
    response.set(HEADERS);
    const refusal = refusalOf(request);
    if (refusal) problem(response, refusal.status, refusal.detail);
    else next();
  });

  let bundled: Promise<Page> | undefined;
  const page = (part: keyof Page): RequestHandler => {
    return async (_request, response) => {
      bundled ??= bundlePage();
      // One that failed is tried again.
      bundled.catch(() => {
        bundled = undefined;
      });
      response.type(part).send((await bundled)[part]);
    };
  };
  const routes: Readonly<Record<string, RequestHandler>> = {
    '/': page('html'),
    '/page.js': page('js'),
    '/page.css': page('css'),
    '/state': (_request, response) => void response.json(source.state()),
    '/samples': ({ query }, response) => {
      const { since = '0' } = query;
      if (!/^\d+$/.test(String(since))) {
        return problem(response, 400, `console: since=${since} is no time; it is in milliseconds since 1970`);
      }
      response.json(source.samples().filter(({ at }) => at > Number(since)));
    },
    '/events': (request, response) => {
      if (stream.clients < MAX_CLIENTS) stream.add(request, response);
      else problem(response, 503, `console: ${MAX_CLIENTS} look already; close one of them`);
    },
  };
  for (const [path, handler] of Object.entries(routes)) app.route(path).get(handler).all(notAllowed('GET'));
  app
    .route('/actions/:name')
    .post(express.json({ limit: MAX_BODY, strict: false }), actOn(source))
    .all(notAllowed('POST'));
  app.use(({ path }, response) => problem(response, 404, `console: there is no ${path}`));
  app.use(failed);

  const server = createServer(app);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    const why = `console: the port ${port} cannot be listened on: ${cause.code}`;
    throw new ConfigurationError(`${why}; name another one, or none for a free one`, { cause });
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      stream.end();
      server.close();
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
      await once(server, 'close');
      clearTimeout(late);
    },
  };
}

function actOn(source: ConsoleSource): RequestHandler<{ name: string }> {
  return async ({ params: { name } }, response) => {
    if (!Object.hasOwn(ACTIONS, name)) {
      const known = Object.keys(ACTIONS).join(', ');
      return problem(
        response,
        404,
        `console: there is no action ${JSON.stringify(name)}; there are ${known}`,
      );
    }
    const action = name as ActionName;
    const { actions } = source.state();
    if (!source.act || !actions.includes(action)) {
      const possible = actions.length === 0 ? 'nothing' : actions.join(', ');
      return problem(response, 409, `console: ${action} is not possible now; ${possible} is`);
    }
    try {
      response.json({ text: await source.act(action) });
    } catch (error) {
      problem(response, 500, error instanceof Error ? error.message : String(error));
    }
  };
}

const notAllowed =
  (allowed: string): RequestHandler =>
  ({ method, path }, response) => {
    response.set('allow', allowed);
    problem(response, 405, `console: ${method} ${path} is not served; ${allowed} is`);
  };

/** What a body parser refuses, and what the page's bundle fails with. */
const failed: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  if (response.headersSent) response.destroy();
  else problem(response, error.status ?? 500, `console: ${error.message}`);
};

function problem(response: Response, status: number, detail: string): void {
  const document = { type: 'about:blank', title: STATUS_CODES[status], status, detail };
  response.status(status).type(PROBLEM_TYPE).send(JSON.stringify(document));
}
