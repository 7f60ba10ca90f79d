import { familiesIn, type Phase } from '../lambda/cache/phase.ts';
import { prefixIn } from '../lambda/contract/namespaces.ts';
import { reportCoverage } from '../lambda/coverage/report.ts';
import type { FlushProgress } from '../lambda/flush/flush.ts';
import { backfill, requireCarried } from '../lambda/stores/backfill/backfill.ts';
import { type BackfillTarget, planBackfill } from '../lambda/stores/backfill/plan.ts';
import type { RunningBackend } from './backends.ts';
import type { Backend, Checker } from './checker.ts';
import { conduct, type StageEvent } from './conductor.ts';
import type { DatabaseProbe } from './database-probe.ts';
import { watchFallbacks } from './fallback-watch.ts';
import type { Apart } from './faults.ts';
import { type RehearsalOptions, stageSeconds } from './options.ts';
import { conductPhases, type PhaseEvent } from './phase-conductor.ts';
import { STEP_COUNT } from './phase-steps.ts';
import type { Population } from './population.ts';
import type { Processes } from './processes.ts';
import { seededRandom } from './random.ts';
import type { Recorder } from './recorder.ts';
import type { Report } from './report.ts';
import type { RolloutControl } from './rollout/control.ts';
import type { Router } from './router.ts';
import type { SessionChecker } from './session-checker.ts';
import type { Ground } from './set-up.ts';
import type { Timeline } from './timeline.ts';

/** All that is there while users are. */
export interface Scene {
  readonly options: RehearsalOptions;
  readonly ground: Ground;
  readonly env: string;
  readonly population: Population;
  readonly processes: Processes;
  /** The processes that the traffic goes to. */
  readonly running: Record<Backend, RunningBackend>;
  readonly router: Router;
  readonly recorder: Recorder;
  readonly timeline: Timeline;
  readonly probe: DatabaseProbe;
  readonly checker: Checker;
  readonly sessionChecker: SessionChecker;
  readonly flush: (onlyNamespace?: string) => Promise<FlushProgress>;
  /** Does what needs Redis and has no second attempt. */
  readonly apart: Apart;
  readonly watcher: Watcher;
  readonly signal: AbortSignal;
}

/** Who is told what happens, beside the requests. */
export interface Watcher {
  event(event: StageEvent | PhaseEvent): void;
  control(control: RolloutControl): void;
  fellBack(count: number): void;
}

/** How many lists both backends are asked for before each stage: those that the fewest write. */
const COMPARED_LISTS = 4;

/** Moves the traffic, a stage at a time, by the state machine that is deployed. */
export async function runStages(scene: Scene): Promise<Pick<Report, 'stages' | 'steps'>> {
  const { options, router, watcher, processes, checker, population, ground, apart } = scene;
  const lengths = stageSeconds(options);
  const isPlain = options.mode === 'naive';
  const begun = performance.now();
  const lists = population.targets.slice(-COMPARED_LISTS).map(({ owner }) => owner);
  const stages = await conduct({
    ...scene,
    stages: options.stages.map((weightPercent, stage) => ({ weightPercent, seconds: lengths[stage] ?? 0 })),
    // The plain way has neither an auditor nor a mirror to look for.
    staleReads: () => (isPlain ? 0 : checker.summary().staleReads),
    connectionFailures: processes.connectionFailures,
    coverage: isPlain
      ? undefined
      : () =>
          apart(() =>
            reportCoverage({
              database: ground.database,
              ...{ scanner: ground.redis, reader: ground.redis },
              // Who wrote before it began is no part of it.
              sinceSeconds: Math.ceil((performance.now() - begun) / 1000),
            }),
          ),
    compare: isPlain
      ? undefined
      : {
          paths: lists.map(({ userId, collection }) => `/api/users/${userId}/${collection}`),
          legacy: (path) => router.ask('express', path),
          serverless: (path) => router.ask('serverless', path),
        },
    onEvent: watcher.event,
    onControl: watcher.control,
  });
  return { stages, steps: [] };
}

/** Of the serverless backend's requests, those that a new phase gets beside the old one. */
const CANARY_PERCENT = 50;
const BACKENDS = ['express', 'serverless'] as const;

/** Moves the keys, a phase at a time, and back. */
export async function runPhases(scene: Scene): Promise<Pick<Report, 'stages' | 'steps'>> {
  const { options, ground, env, population, watcher, processes, running, router, flush } = scene;
  const { checker, sessionChecker, apart } = scene;
  const newHome = prefixIn('prefixed', { kind: 'state' }, env);
  let next: Record<Backend, RunningBackend> | undefined;

  const steps = await conductPhases({
    ...scene,
    stepSeconds: options.seconds / STEP_COUNT,
    async beginShift(phase) {
      await apart(() => ground.changeUsers(phase));
      const [express, serverless] = await Promise.all(
        BACKENDS.map((backend) => processes.start(backend, phase)),
      );
      if (!express || !serverless) throw new Error('rehearse: a backend was not started');
      next = { express, serverless };
      router.beginCanary('serverless', { url: serverless.url, percent: CANARY_PERCENT });
    },
    async endShift() {
      if (!next) return;
      router.beginCanary('express', { url: next.express.url, percent: 100 });
      for (const backend of BACKENDS) {
        await router.endCanary(backend, 'promote');
        await processes.end(running[backend]);
        running[backend] = next[backend];
      }
      next = undefined;
    },
    carry: (to, phase) => apart(() => carry(scene, { to, phase })),
    flush: (what) => flush(what === 'all' ? undefined : newHome),
    async checkState(homes) {
      const found = [await apart(() => ground.preserved.check())];
      if (homes === 'both') found.push(await apart(() => ground.preserved.check(newHome)));
      const sum = (of: 'checked' | 'lost') => found.reduce((total, each) => total + each[of], 0);
      return { checked: sum('checked'), lost: sum('lost') };
    },
    watchFallbacks: () =>
      watchFallbacks({
        ...{ env, population, database: ground.database, redisUrl: ground.redisUrls.serverless },
        random: seededRandom(options.seed + 5),
        onFallback: watcher.fellBack,
      }),
    faults() {
      const { staleReads } = checker.summary();
      const { lostSessions, resurrectedSessions } = sessionChecker.summary();
      return { staleReads, lostSessions, resurrectedSessions };
    },
    onEvent: watcher.event,
  });
  return { stages: [], steps };
}

/** The real backfill. */
async function carry({ ground, env }: Scene, way: { readonly to: BackfillTarget; readonly phase: Phase }) {
  const plan = planBackfill({ ...way, env, families: familiesIn({}) });
  const report = await backfill({ target: { url: ground.redisUrls.backfill }, plan });
  requireCarried(report, { dryRun: false });
  return report;
}
