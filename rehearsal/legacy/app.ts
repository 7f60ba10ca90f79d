import express, { type ErrorRequestHandler, type Express } from 'express';
import { deleteItem, NOT_FOUND, putItem, readList } from '../../lambda/collections/repository.ts';
import { listKey, type Owner, parseBody, parseOwner } from '../../lambda/collections/schema.ts';
import { PROBLEM_TYPE, ProblemError, problemOf } from '../../lambda/contract/problem.ts';
import { type Database, withTransaction } from '../../lambda/database/pool.ts';
import { readinessOf } from '../../lambda/http/health.ts';
import { parseId } from '../../lambda/request/id.ts';
import { MAX_BODY_BYTES, requireJson, tooLarge } from '../../lambda/request/json-body.ts';
import { StateUnavailableError } from '../../lambda/stores/database-away.ts';
import { type LegacyStores, legacySessions } from './sessions.ts';

/** What the legacy backend uses of its Redis client. */
export interface LegacyRedis {
  get(key: string): Promise<string | null>;
  setEx(key: string, seconds: number, value: string): Promise<unknown>;
  del(key: string): Promise<unknown>;
  ping(): Promise<unknown>;
}

export interface LegacyAppOptions {
  readonly redis: LegacyRedis;
  readonly database: Database;
  /** Without them it has no sessions. */
  readonly stores?: LegacyStores;
}

const TTL_SECONDS = 300;

/**
 * The legacy backend: Express as people write it, get, load, setEx, and after a write del; without Redis
 * it loads. It shares the SQL and
 * the input rules with the serverless backend; its caching is its own, plain, and knows of no protocol.
 */
export function legacyApp({ redis, database, stores }: LegacyAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use((_req, res, next) => {
    res.set('x-backend', 'express');
    next();
  });

  app.get('/health', (_req, res) => {
    res.json({ status: 'alive' });
  });

  app.get('/ready', async (_req, res) => {
    const readiness = await readinessOf({
      redis: () => redis.ping(),
      postgres: () => database.query('SELECT 1'),
    });
    res.status(readiness.status === 'ready' ? 200 : 503).json(readiness);
  });

  if (stores) app.use('/api/sessions', legacySessions(stores));

  app.get('/api/users/:userId/:collection', async (req, res) => {
    const owner = parseOwner(req.params);
    const cached = await redis.get(listKey(owner)).catch(() => undefined);
    if (cached) {
      res.set('x-cache', 'hit').type('json').send(cached);
      return;
    }
    const list = await readList(database, owner);
    if (cached !== undefined) {
      await redis.setEx(listKey(owner), TTL_SECONDS, JSON.stringify(list)).catch(() => {});
    }
    res.set('x-cache', 'miss').json(list);
  });

  const forget = (owner: Owner) =>
    redis.del(listKey(owner)).then(
      () => 'done',
      () => 'pending',
    );

  app.put(
    '/api/users/:userId/:collection/:itemId',
    express.text({ type: () => true, limit: MAX_BODY_BYTES, inflate: false }),
    async (req, res) => {
      const owner = parseOwner(req.params);
      const id = parseId('itemId', req.params.itemId);
      requireJson({ contentType: req.get('content-type'), contentEncoding: req.get('content-encoding') });
      const data = parseBody(req.body || '');
      const version = await withTransaction(database, (tx) => putItem(tx, owner, { id, data }));
      res.set('x-invalidation', await forget(owner)).json({ id, version });
    },
  );

  app.delete('/api/users/:userId/:collection/:itemId', async (req, res) => {
    const owner = parseOwner(req.params);
    const id = parseId('itemId', req.params.itemId);
    const version = await withTransaction(database, (tx) => deleteItem(tx, owner, id));
    if (version === NOT_FOUND)
      throw new ProblemError(404, `itemId ${JSON.stringify(id)} is not in ${owner.collection}`);
    res.set('x-invalidation', await forget(owner)).json({ version });
  });

  app.use((req, _res) => {
    throw new ProblemError(404, `no route for ${req.method} ${JSON.stringify(req.path.slice(0, 80))}`);
  });
  app.use(answerProblem);
  return app;
}

const answerProblem: ErrorRequestHandler = (error, _req, res, _next) => {
  const problem = problemOf(asProblem(error));
  if (problem.status === 500) console.error(error);
  res.status(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
};

/** Express's own complaints about a request, as problems: a body too large, a broken encoding in the path. */
function asProblem(error: unknown): unknown {
  if (error instanceof StateUnavailableError) return new ProblemError(503, error.message);
  if (error instanceof ProblemError || !(error instanceof Error) || !('status' in error)) return error;
  const { status } = error;
  try {
    if (status === 413) tooLarge();
    if (status === 415)
      throw new ProblemError(415, 'the body has an encoding or a character set that is not served');
    if (status === 400)
      throw new ProblemError(400, 'the request cannot be read: a broken %-encoding or a cut body');
  } catch (problem) {
    return problem;
  }
  return error;
}
