import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKeyspace } from '../lambda/cache/keyspace.ts';
import { environmentName } from '../lambda/cache/phase.ts';
import { flush as flushRedis, requireComplete } from '../lambda/flush/flush.ts';
import { planFlush } from '../lambda/flush/plan/plan.ts';
import { type Dispatcher, openDispatcher } from '../lambda/outbox/dispatcher.ts';
import { createChecker } from './checker.ts';
import { probeDatabase } from './database-probe.ts';
import { sumOf } from './documents.ts';
import { CW_WEIGHT_PERCENT, type RehearsalOptions, UsageError } from './options.ts';
import { type Population, populate } from './population.ts';
import { createPrinter, type Printer } from './printer.ts';
import { createProcesses } from './processes.ts';
import { seededRandom } from './random.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createReport, type Report } from './report.ts';
import { createRouter, type Router } from './router.ts';
import { runPhases, runStages, type Scene } from './scene.ts';
import { redacted } from './servers/given-or-own.ts';
import type { Workspace } from './servers/workspace.ts';
import { createSessionChecker } from './session-checker.ts';
import { type Ground, setUp } from './set-up.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { startUsers } from './users.ts';
import { warningsOf } from './warmth.ts';

/** NODE_ENV of both backends, unless the environment names another. */
const DEFAULT_ENV = 'development';
/** Before the first stage the legacy backend has all the traffic, to compare with. */
const BASELINE_SECONDS = 1;
const PROGRESS_EVERY_MS = 500;
const RECENT_MS = 2000;
/** Fine enough for a stage of some seconds. */
const TIMELINE_MS = 250;
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
  /** The file that is the legacy backend, for tests of what a bad one does. */
  readonly legacyMain?: string;
}

/**
 * Rehearses a cutover: two backends, one Redis, one PostgreSQL, and users who move from the first to the second.
 * @throws UsageError before anything is changed; what a backend said when it did not start, or ended.
 */
export async function rehearse(options: RehearsalOptions, context: RehearsalContext): Promise<Report> {
  const { seed, users, mode, seconds, migration = 'v2' } = options;
  refuseWhatCannotBe(options, context);
  const env = environmentName(context.environment['NODE_ENV'] || DEFAULT_ENV);
  const printer = createPrinter(context);
  const population = populate({ users, random: seededRandom(seed) });
  printer.line(`rehearsing a cutover: ${migration}, ${mode}, ${users} users, ${seconds} s, seed ${seed}`);

  const ground = await setUp({
    ...context,
    users,
    keyspace: createKeyspace({ phase: migration === 'v2' ? 'isolated' : 'legacy', env }),
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

function refuseWhatCannotBe({ migration, mode }: RehearsalOptions, { environment }: RehearsalContext): void {
  if (migration !== 'cw') return;
  if (mode === 'naive') {
    throw new UsageError(
      'rehearse: --naive has no phases: it goes with --migration v2, and --migration cw without it',
    );
  }
  if (environment['REDIS_URL']) {
    throw new UsageError(
      "rehearse: --migration cw carries all keys of state to another home, others' too, and REDIS_URL is set; unset it, and a Redis is started",
    );
  }
}

interface Performance extends RehearsalContext {
  readonly env: string;
  readonly ground: Ground;
  readonly population: Population;
  readonly printer: Printer;
}

async function perform(options: RehearsalOptions, context: Performance): Promise<Report> {
  const { ground, population, printer } = context;
  const { seed, mode, migration = 'v2' } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  context.signal.throwIfAborted();
  const processes = createProcesses({ ...context, mode });
  const [express, serverless] = await Promise.race([
    Promise.all([
      processes.start('express', 'legacy'),
      processes.start('serverless', migration === 'v2' ? 'isolated' : 'legacy'),
    ]),
    aborted(context.signal),
  ]);
  const dispatcher = mode === 'naive' ? undefined : await startDispatcher(context);
  const router = createRouter({
    backends: { express: express.url, serverless: serverless.url },
    devices: population.devices,
    random: seededRandom(seed + 3),
  });
  const url = await listen(router);
  printer.line(`router   ${url}  ->  express ${express.url}, serverless ${serverless.url}`);

  const checker = createChecker();
  const sessionChecker = createSessionChecker();
  const recorder = createRecorder();
  const timeline = createTimeline({ spanMs: TIMELINE_MS });
  const begin = performance.now();
  const users = startUsers({
    ...{ url, population, checker, sessionChecker },
    recorder: recordingIn(recorder, timeline),
    random: seededRandom(seed + 1),
    sessionRandom: seededRandom(seed + 4),
    onError: (message) => printer.line(`error    ${message}`),
  });
  const probe = probeDatabase({
    database: ground.database,
    population,
    random: seededRandom(seed + 2),
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

  const { flush, preserved } = createFlush(context);
  const scene: Scene = {
    ...{
      ...context,
      options,
      processes,
      router,
      recorder,
      timeline,
      probe,
      checker,
      sessionChecker,
      flush,
      signal,
    },
    running: { express, serverless },
  };
  try {
    if (migration === 'cw') router.weightPercent = CW_WEIGHT_PERCENT;
    await sleep(BASELINE_SECONDS * 1000, undefined, { signal });
    const conducted = migration === 'cw' ? runPhases(scene) : runStages(scene);
    const reports = await Promise.race([conducted, users.failure, processes.failure, ground.failure]);
    await users.stop();
    const written = await processes.endServerless();
    const report = createReport({
      options,
      durationSeconds: Math.round(performance.now() - begin) / 1000,
      requests: recorder.requests,
      errors5xx: recorder.errors5xx,
      staleness: checker.summary(),
      sessions: sessionChecker.summary(),
      preserved,
      refusals: await ground.refusals(),
      metrics: { recorded: sumOf(written), counted: { ...router.answered } },
      ...reports,
    });
    if (report.totals.errors5xx > 0) printer.line(`\nthe backends' last words\n${processes.lastLines()}`);
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

/** Each answer goes to both. */
const recordingIn = (recorder: Recorder, timeline: Timeline): Pick<Recorder, 'record' | 'errors5xx'> => ({
  get errors5xx() {
    return recorder.errors5xx;
  },
  record(observation) {
    recorder.record(observation);
    timeline.record(observation);
  },
});

/** Repeats what nobody has confirmed; in AWS once a minute. */
async function startDispatcher({ ground, env, printer }: Performance): Promise<Dispatcher> {
  const tell = (message: string, { reason, uncovered }: Readonly<Record<string, unknown>> = {}) =>
    printer.line(`dispatch ${message}: ${reason ?? JSON.stringify(uncovered)}`);
  const dispatcher = await openDispatcher(
    { REDIS_URL: ground.redisUrls.serverless, DATABASE_URL: ground.databaseUrl, NODE_ENV: env },
    { info: () => {}, warn: tell, error: tell },
  );
  // So that it is there when the rollout asks for it.
  await dispatcher.dispatch();
  dispatcher.every(DISPATCH_EVERY_MS);
  return dispatcher;
}

/** The real flush, which checks after each time that the state is still there. */
function createFlush({ ground, env }: Performance) {
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
