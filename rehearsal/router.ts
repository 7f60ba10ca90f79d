import { createServer, type Server } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Pool } from 'undici';
import { PROBLEM_TYPE, ProblemError, problemOf } from '../lambda/contract/problem.ts';
import type { Backend } from './checker.ts';
import type { Device } from './population.ts';
import type { Random } from './random.ts';

/** How requests were answered. */
export interface Answered {
  readonly requests: number;
  /** Reads, by what their `x-cache` says. */
  readonly hits: number;
  readonly misses: number;
  readonly errors5xx: number;
}

export interface Router {
  readonly server: Server;
  /** The serverless backend's share, in percent. */
  weightPercent: number;
  /** What the serverless backend has answered until now. */
  readonly answered: Answered;
  /** Asks a backend itself, whatever the weight; counted like any other. */
  ask(backend: Backend, path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** Gives a share of a backend's requests, one by one, to a second process of it: as a Lambda alias does in a canary. */
  beginCanary(backend: Backend, canary: { readonly url: string; readonly percent: number }): void;
  /** Ends the canary: its process, or else the one before, gets all requests. Resolves when the other has answered its last. */
  endCanary(backend: Backend, outcome: 'promote' | 'withdraw'): Promise<void>;
  close(): Promise<void>;
}

export interface RouterOptions {
  readonly backends: Readonly<Record<Backend, string>>;
  readonly devices: readonly Device[];
  /** Decides which requests are a canary's. */
  readonly random?: Random;
}

/** The processes of one backend. */
interface Fleet {
  stable: Pool;
  canary: { readonly pool: Pool; readonly percent: number } | undefined;
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
 * device stays where it is until the weight passes it. A request of no known device goes to the legacy backend. And for the alias of
 * each backend: while a canary runs, its requests go to two processes.
 */
export function createRouter({ backends, devices, random = Math.random }: RouterOptions): Router {
  const draws = new Map(devices.map(({ name, draw }) => [name, draw]));
  const options = {
    connections: CONNECTIONS,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  };
  const fleetOf = (url: string): Fleet => ({ stable: new Pool(url, options), canary: undefined });
  const fleets: Record<Backend, Fleet> = {
    express: fleetOf(backends.express),
    serverless: fleetOf(backends.serverless),
  };
  const poolOf = ({ stable, canary }: Fleet): Pool =>
    canary && random() * 100 < canary.percent ? canary.pool : stable;

  const answered = { requests: 0, hits: 0, misses: 0, errors5xx: 0 };
  const count = (status: number, cache: unknown) => {
    answered.requests += 1;
    if (cache === 'hit') answered.hits += 1;
    if (cache === 'miss') answered.misses += 1;
    if (status > 499) answered.errors5xx += 1;
  };

  const server = createServer(async (request, response) => {
    const draw = draws.get(String(request.headers['x-device'])) ?? 1;
    const backend: Backend = draw * 100 < router.weightPercent ? 'serverless' : 'express';
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
    );
    try {
      const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
      const answer = await poolOf(fleets[backend]).request({
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers,
        body: hasBody ? request : null,
      });
      if (backend === 'serverless') count(answer.statusCode, answer.headers['x-cache']);
      const passed = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
      response.writeHead(answer.statusCode, Object.fromEntries(passed));
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
    answered,
    async ask(backend, path) {
      const {
        statusCode: status,
        headers,
        body,
      } = await poolOf(fleets[backend]).request({ method: 'GET', path });
      if (backend === 'serverless') count(status, headers['x-cache']);
      return { status, body: await body.text() };
    },
    beginCanary(backend, { url, percent }) {
      fleets[backend].canary = { pool: new Pool(url, options), percent };
    },
    async endCanary(backend, outcome) {
      const fleet = fleets[backend];
      const { stable, canary } = fleet;
      if (!canary) return;
      fleet.canary = undefined;
      if (outcome === 'promote') fleet.stable = canary.pool;
      await (outcome === 'promote' ? stable : canary.pool).close();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      const pools = Object.values(fleets).flatMap(({ stable, canary }) =>
        canary ? [stable, canary.pool] : [stable],
      );
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
  return router;
}
