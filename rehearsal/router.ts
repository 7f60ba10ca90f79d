import { createServer, type Server } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Pool } from 'undici';
import { PROBLEM_TYPE, ProblemError, problemOf } from '../lambda/contract/problem.ts';
import type { Backend } from './checker.ts';
import type { Device } from './population.ts';

export interface Router {
  readonly server: Server;
  /** The serverless backend's share, in percent. */
  weightPercent: number;
  close(): Promise<void>;
}

export interface RouterOptions {
  readonly backends: Readonly<Record<Backend, string>>;
  readonly devices: readonly Device[];
}

/** Enough for the load, and few enough that the backends' event loops do not juggle idle sockets. */
const CONNECTIONS = 32;
/** A backend that has not answered by then is counted as an error; above both backends' own limits. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Headers of one connection and not of the message (RFC 9110, 7.6.1), and the two that a client sets itself. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
]);

/**
 * Stands for Route 53: sends each device to the serverless backend while its draw is below the weight, so that a
 * device stays where it is until the weight passes it. A request of no known device goes to the legacy backend.
 */
export function createRouter({ backends, devices }: RouterOptions): Router {
  const draws = new Map(devices.map(({ name, draw }) => [name, draw]));
  const options = {
    connections: CONNECTIONS,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  };
  const pools = {
    express: new Pool(backends.express, options),
    serverless: new Pool(backends.serverless, options),
  };

  const server = createServer(async (request, response) => {
    const draw = draws.get(String(request.headers['x-device'])) ?? 1;
    const backend: Backend = draw * 100 < router.weightPercent ? 'serverless' : 'express';
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
    );
    try {
      const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
      const answer = await pools[backend].request({
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers,
        body: hasBody ? request : null,
      });
      const answered = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
      response.writeHead(answer.statusCode, Object.fromEntries(answered));
      await pipeline(answer.body, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const why = error instanceof Error ? error.message : String(error);
      const problem = problemOf(new ProblemError(502, `the ${backend} backend did not answer: ${why}`));
      response.writeHead(problem.status, { 'content-type': PROBLEM_TYPE, 'x-backend': backend });
      response.end(JSON.stringify(problem));
    }
  });

  const router: Router = {
    server,
    weightPercent: 0,
    async close() {
      server.close();
      server.closeAllConnections();
      await Promise.all(Object.values(pools).map((pool) => pool.destroy()));
    },
  };
  return router;
}
