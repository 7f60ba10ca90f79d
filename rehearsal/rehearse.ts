import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { planFlush } from '../lambda/flush/plan.ts';
import { flushAt } from '../lambda/flush/run.ts';
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
import { type Report, reasonsAgainst } from './report.ts';
import { createRouter, type Router } from './router.ts';
import { redacted } from './servers/given-or-own.ts';
import type { Workspace } from './servers/workspace.ts';
import { type Ground, setUp } from './set-up.ts';
import { startUsers } from './users.ts';
import { coldWarning } from './warmth.ts';

/** Both backends have it as their NODE_ENV. */
const ENV = 'rehearsal';
/** Before the first stage the legacy backend has all the traffic, to compare with. */
const BASELINE_SECONDS = 1;
const PROGRESS_EVERY_MS = 500;
const RECENT_MS = 2000;

export interface RehearsalContext {
  readonly workspace: Workspace;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: { write(text: string): unknown };
  /** Whether `out` is a terminal to draw on. */
  readonly live: boolean;
}

/**
 * Rehearses a cutover: two backends, one Redis, one PostgreSQL, and users who move from the first to the second.
 * @throws UsageError before anything is changed; what a backend said when it did not start, or ended.
 */
export async function rehearse(options: RehearsalOptions, context: RehearsalContext): Promise<Report> {
  const { seed, users, mode, seconds } = options;
  const printer = createPrinter(context);
  const population = populate({ users, random: seededRandom(seed) });
  printer.line(`rehearsing a cutover: ${mode}, ${users} users, ${seconds} s, seed ${seed}`);
  const warning = coldWarning(options, population);
  if (warning) printer.line(`warning  ${warning}`);

  const ground = await setUp({ ...context, users });
  try {
    printer.line(`servers  ${redacted(ground.redisUrl)}  ${redacted(ground.databaseUrl)}`);
    return await perform(options, { ...context, ground, population, printer });
  } finally {
    await ground.close();
  }
}

interface Performance extends RehearsalContext {
  readonly ground: Ground;
  readonly population: ReturnType<typeof populate>;
  readonly printer: Printer;
}

async function perform(options: RehearsalOptions, context: Performance): Promise<Report> {
  const { ground, population, printer } = context;
  const backends = await startBackends(options, context);
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

  const preserved = { checked: 0, lost: 0 };
  const flush = async (onlyNamespace?: string) => {
    const plan = planFlush({ env: ENV, ...(onlyNamespace && { onlyNamespace }) });
    const report = await flushAt(ground.redisUrl, { plan });
    const { checked, lost } = await ground.preserved.check();
    preserved.checked += checked;
    preserved.lost += lost;
    return report;
  };
  const lengths = stageSeconds(options);
  const stages = options.stages.map((weightPercent, index) => ({
    weightPercent,
    seconds: lengths[index] ?? 0,
  }));
  try {
    await sleep(BASELINE_SECONDS * 1000);
    const conducted = conduct({ stages, router, recorder, probe, flush, onEvent: printer.event });
    const reports = await Promise.race([conducted, users.failure, backends.failure]);
    await users.stop();
    const { staleByBackend, ...staleness } = checker.summary();
    const totals = { requests: recorder.requests, errors5xx: recorder.errors5xx, ...staleness };
    const reasons = reasonsAgainst({ totals, preserved, stages: reports });
    const report: Report = {
      mode: options.mode,
      verdict: reasons.length === 0 ? 'pass' : 'fail',
      reasons,
      durationSeconds: Math.round(performance.now() - begin) / 1000,
      seed: options.seed,
      users: options.users,
      totals,
      staleByBackend,
      preserved,
      stages: reports,
    };
    printer.report(report);
    return report;
  } finally {
    clearInterval(progress);
    await users.stop();
    await probe.stop();
    await router.close();
  }
}

async function startBackends({ mode }: RehearsalOptions, { workspace, ground }: Performance) {
  const naive = mode === 'naive';
  const folder = naive ? bundle('rehearsal/naive/api.ts', 'rehearsal/naive-api') : bundleFunction('api');
  const servers = { NODE_ENV: ENV, REDIS_URL: ground.redisUrl, DATABASE_URL: ground.databaseUrl };
  const [express, serverless] = await Promise.all([
    startBackend(workspace, {
      name: 'express',
      main: ['legacy/main.ts'],
      environment: { ...servers, MIRROR: naive ? 'off' : 'on' },
    }),
    startBackend(workspace, {
      name: 'serverless',
      main: ['host/main.ts', folder],
      environment: { ...servers, MIGRATION_MODE: 'true', LOG_LEVEL: 'WARN' },
    }),
  ]);
  return {
    urls: { express: express.url, serverless: serverless.url },
    failure: Promise.race([express.failure, serverless.failure]),
  };
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
