import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsoleSource } from './console/contract.ts';
import { probeDatabase } from './database-probe.ts';
import { startDispatcher } from './dispatching.ts';
import { sumOf } from './documents.ts';
import { createObservers } from './observers.ts';
import { CW_WEIGHT_PERCENT, type RehearsalOptions } from './options.ts';
import type { Population } from './population.ts';
import type { Printer } from './printer.ts';
import { createProcesses } from './processes.ts';
import { seededRandom } from './random.ts';
import { createReport, type Report } from './report.ts';
import { createRouter, type Router } from './router.ts';
import { runPhases, runStages, type Scene } from './scene.ts';
import type { Workspace } from './servers/workspace.ts';
import type { Ground } from './set-up.ts';
import { showProgress } from './show-progress.ts';
import { startUsers } from './users.ts';

/** Before the first stage the legacy backend has all the traffic, to compare with. */
const BASELINE_SECONDS = 1;

/** A console that is served. */
export interface ServedConsole {
  readonly url: string;
  /** Sends the last state, and closes. */
  close(): Promise<void>;
}

export interface PerformanceContext {
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
  readonly legacyMain?: string | undefined;
  /** Told, before there are users, where all is that a console shows; serves it if there is to be one. */
  readonly onSource?: ((source: ConsoleSource) => Promise<ServedConsole | undefined>) | undefined;
  readonly env: string;
  readonly ground: Ground;
  readonly population: Population;
  readonly printer: Printer;
}

/** The part of a rehearsal in which there are users. */
export async function perform(options: RehearsalOptions, context: PerformanceContext): Promise<Report> {
  const closing: (() => unknown)[] = [];
  try {
    return await performOpen(options, { ...context, atEnd: (close) => void closing.unshift(close) });
  } finally {
    for (const close of closing) await close();
  }
}

interface OpenContext extends PerformanceContext {
  /** What was opened last is closed first. */
  readonly atEnd: (close: () => unknown) => void;
}

async function performOpen(options: RehearsalOptions, context: OpenContext): Promise<Report> {
  const { ground, population, printer, env, atEnd } = context;
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
  const router = createRouter({
    backends: { express: express.url, serverless: serverless.url },
    devices: population.devices,
    random: seededRandom(seed + 3),
  });
  atEnd(router.close);
  const url = await listen(router);
  printer.line(`router   ${url}  ->  express ${express.url}, serverless ${serverless.url}`);

  const observers = createObservers({
    ...{ options, env, ground, printer, processes, router },
    baselineSeconds: BASELINE_SECONDS,
  });
  const { checker, sessionChecker, recorder, source } = observers;
  const served = await context.onSource?.(source);
  if (served) {
    atEnd(served.close);
    printer.line(`console  ${served.url}`);
  }
  const dispatcher =
    mode === 'naive'
      ? undefined
      : await startDispatcher({
          ...{ ground, env },
          tell(message, isUncovered) {
            printer.line(`dispatch ${message}`);
            source.log({ level: 'warning', text: `dispatcher: ${message}` });
            if (isUncovered) source.uncovered();
          },
        });
  atEnd(() => dispatcher?.close());

  const begin = performance.now();
  const users = startUsers({
    ...{ url, population, checker, sessionChecker },
    recorder: observers.answers,
    random: seededRandom(seed + 1),
    sessionRandom: seededRandom(seed + 4),
    onError(message) {
      printer.line(`error    ${message}`);
      source.log({ level: 'error', text: message });
    },
  });
  atEnd(users.stop);
  const probe = probeDatabase({
    database: ground.database,
    population,
    random: seededRandom(seed + 2),
  });
  atEnd(probe.stop);
  const totalSeconds = options.seconds + BASELINE_SECONDS;
  atEnd(showProgress({ printer, recorder, checker, begin, totalSeconds }));
  atEnd(() => observers.faults?.close());
  atEnd(() => ended.abort());

  const scene: Scene = {
    ...{ ...context, ...observers, options, processes, router, probe, signal },
    running: { express, serverless },
    watcher: {
      control: source.control,
      fellBack: source.fellBack,
      event(event) {
        printer.event(event);
        source.event(event);
      },
    },
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
      staleReads: checker.explained(),
      preserved: observers.preserved,
      refusals: await observers.refusals(),
      metrics: { recorded: sumOf(written), counted: { ...router.answered } },
      ...reports,
    });
    source.ended(report);
    if (report.totals.errors5xx > 0) printer.line(`\nthe backends' last words\n${processes.lastLines()}`);
    printer.report(report);
    return report;
  } catch (error) {
    source.ended({ verdict: 'fail', reasons: [error instanceof Error ? error.message : String(error)] });
    throw error;
  }
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
