import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKeyspace } from '../lambda/cache/keyspace.ts';
import { environmentName } from '../lambda/cache/phase.ts';
import { flush as flushRedis, requireComplete } from '../lambda/flush/flush.ts';
import { planFlush } from '../lambda/flush/plan/plan.ts';
import { type Dispatcher, openDispatcher } from '../lambda/outbox/dispatcher.ts';
import { bundle, bundleFunction } from '../lib/bundle.ts';
import { startBackend } from './backends.ts';
import { createChecker } from './checker.ts';
import { conduct } from './conductor.ts';
import { probeDatabase } from './database-probe.ts';
import { type RehearsalOptions, stageSeconds } from './options.ts';
import { populate } from './population.ts';
import { createPrinter, type Printer } from './printer.ts';
import { seededRandom } from './random.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createReport, type Report } from './report.ts';
import { createRouter, type Router } from './router.ts';
import { redacted } from './servers/given-or-own.ts';
import type { Workspace } from './servers/workspace.ts';
import { type Ground, setUp } from './set-up.ts';
import { startUsers } from './users.ts';
import { warningsOf } from './warmth.ts';

/** NODE_ENV of both backends, unless the environment names another. */
const DEFAULT_ENV = 'development';
/** Before the first stage the legacy backend has all the traffic, to compare with. */
const BASELINE_SECONDS = 1;
const PROGRESS_EVERY_MS = 500;
const RECENT_MS = 2000;
/** How long a write that answered `pending` can be unseen, less the pass itself. */
const DISPATCH_EVERY_MS = 2000;

export interface RehearsalContext {
  readonly workspace: Workspace;
  /** Ends the rehearsal early; it then rejects, with nothing of it left in servers that were there before. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: { write(text: string): unknown };
  /** Whether `out` is a terminal to draw on, and how wide it is. */
  readonly live: boolean;
  readonly columns?: number | undefined;
}

/**
 * Rehearses a cutover: two backends, one Redis, one PostgreSQL, and users who move from the first to the second.
 * @throws UsageError before anything is changed; what a backend said when it did not start, or ended.
 */
export async function rehearse(options: RehearsalOptions, context: RehearsalContext): Promise<Report> {
  const { seed, users, mode, seconds } = options;
  const env = environmentName(context.environment['NODE_ENV'] || DEFAULT_ENV);
  const printer = createPrinter(context);
  const population = populate({ users, random: seededRandom(seed) });
  printer.line(`rehearsing a cutover: ${mode}, ${users} users, ${seconds} s, seed ${seed}`);

  const ground = await setUp({
    ...context,
    users,
    keyspace: createKeyspace({ phase: 'isolated', env }),
    asDeployedUsers: mode !== 'naive',
    cachedKeys: population.targets.map(({ key }) => key),
  });
  try {
    printer.line(`servers  ${redacted(ground.redisUrl)}  ${redacted(ground.databaseUrl)}`);
    for (const warning of warningsOf(options, population)) printer.line(`warning  ${warning}`);
    return await perform(options, { ...context, ground, env, population, printer });
  } finally {
    await ground.close();
  }
}

interface Performance extends RehearsalContext {
  readonly env: string;
  readonly ground: Ground;
  readonly population: ReturnType<typeof populate>;
  readonly printer: Printer;
}

async function perform(options: RehearsalOptions, context: Performance): Promise<Report> {
  const { ground, env, population, printer } = context;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  context.signal.throwIfAborted();
  const backends = await Promise.race([startBackends(options, context), aborted(context.signal)]);
  const dispatcher = options.mode === 'naive' ? undefined : await startDispatcher(context);
  const router = createRouter({ backends: backends.urls, devices: population.devices });
  const url = await listen(router);
  printer.line(
    `router   ${url}  ->  express ${backends.urls.express}, serverless ${backends.urls.serverless}`,
  );

  const checker = createChecker();
  const recorder = createRecorder();
  const begin = performance.now();
  const users = startUsers({
    url,
    population,
    checker,
    recorder,
    random: seededRandom(options.seed + 1),
    onError: (message) => printer.line(`error    ${message}`),
  });
  const probe = probeDatabase({
    database: ground.database,
    population,
    random: seededRandom(options.seed + 2),
  });
  const progress = setInterval(() => {
    const { staleReads } = checker.summary();
    printer.progress({
      ...recent(recorder),
      begin,
      totalSeconds: options.seconds + BASELINE_SECONDS,
      staleReads,
    });
  }, PROGRESS_EVERY_MS);

  const { flush, preserved } = createFlush(ground, env);
  const lengths = stageSeconds(options);
  const stages = options.stages.map((weightPercent, stage) => ({
    weightPercent,
    seconds: lengths[stage] ?? 0,
  }));
  try {
    await sleep(BASELINE_SECONDS * 1000, undefined, { signal });
    const conducted = conduct({ stages, router, recorder, probe, flush, signal, onEvent: printer.event });
    const reports = await Promise.race([conducted, users.failure, backends.failure, ground.failure]);
    await users.stop();
    const report = createReport({
      options,
      durationSeconds: Math.round(performance.now() - begin) / 1000,
      requests: recorder.requests,
      errors5xx: recorder.errors5xx,
      staleness: checker.summary(),
      preserved,
      refusals: await ground.refusals(),
      stages: reports,
    });
    if (report.totals.errors5xx > 0) printer.line(`\nthe backends' last words\n${backends.lastLines()}`);
    printer.report(report);
    return report;
  } finally {
    ended.abort();
    clearInterval(progress);
    await users.stop();
    await probe.stop();
    await router.close();
    await dispatcher?.close();
  }
}

/** Repeats what nobody has confirmed; in AWS once a minute. */
async function startDispatcher({ ground, env, printer }: Performance): Promise<Dispatcher> {
  const tell = (message: string, { reason }: Readonly<Record<string, unknown>> = {}) =>
    printer.line(`dispatch ${message}: ${String(reason)}`);
  const dispatcher = await openDispatcher(
    { REDIS_URL: ground.redisUrls.serverless, DATABASE_URL: ground.databaseUrl, NODE_ENV: env },
    { info: () => {}, warn: tell, error: tell },
  );
  dispatcher.every(DISPATCH_EVERY_MS);
  return dispatcher;
}

/** The real flush, which checks after each time that the state is still there. */
function createFlush(ground: Ground, env: string) {
  const preserved = { checked: 0, lost: 0 };
  const flush = async (onlyNamespace?: string) => {
    const plan = planFlush({ env, ...(onlyNamespace && { onlyNamespace }) });
    const report = requireComplete(await flushRedis({ target: { url: ground.redisUrls.flush }, plan }));
    const { checked, lost } = await ground.preserved.check();
    preserved.checked += checked;
    preserved.lost += lost;
    return report;
  };
  return { flush, preserved };
}

async function startBackends({ mode }: RehearsalOptions, { workspace, ground, env }: Performance) {
  const naive = mode === 'naive';
  const folder = naive ? bundle('rehearsal/naive/api.ts', 'rehearsal/naive-api') : bundleFunction('api');
  const common = { NODE_ENV: env, DATABASE_URL: ground.databaseUrl };
  const urls = ground.redisUrls;
  const [express, serverless] = await Promise.all([
    startBackend(workspace, {
      name: 'express',
      main: ['legacy/main.ts'],
      environment: {
        ...common,
        REDIS_URL: urls.legacy,
        REDIS_TWINS_URL: urls['legacy-twins'],
        MIRROR: naive ? 'off' : 'on',
      },
    }),
    startBackend(workspace, {
      name: 'serverless',
      main: ['host/main.ts', folder],
      environment: {
        ...common,
        REDIS_URL: urls.serverless,
        MIGRATION_MODE: 'true',
        LOG_LEVEL: 'WARN',
      },
    }),
  ]);
  const failure = Promise.race([express.failure, serverless.failure]);
  // Before the first stage, and after the last one, nobody waits for it.
  failure.catch(() => {});
  const lastLines = () => `express\n${express.lastLines()}\nserverless\n${serverless.lastLines()}`;
  return { urls: { express: express.url, serverless: serverless.url }, failure, lastLines };
}

/** Rejects when the signal says so; never resolves. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function listen({ server }: Router): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** What the last seconds were like. */
function recent(recorder: Recorder) {
  const { reads, hits } = recorder.rateSince(performance.now() - RECENT_MS);
  const { express, serverless } = recorder.takeShares();
  return {
    requests: recorder.requests,
    errors5xx: recorder.errors5xx,
    serverlessPercent: (serverless / Math.max(1, express + serverless)) * 100,
    hitRate: reads === 0 ? undefined : hits / reads,
    p95Ms: recorder.hitP95Ms().serverless,
  };
}
