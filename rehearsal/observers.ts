import { type CheckedFlush, createCheckedFlush } from './checked-flush.ts';
import { type Checker, createChecker } from './checker.ts';
import { createRehearsalSource, type RehearsalSource } from './console/rehearsal-source.ts';
import { FAULT_TEXTS } from './console/source/narration.ts';
import { type RehearsedFaults, rehearsedFaults } from './faults/rehearsed-faults.ts';
import type { RehearsalOptions } from './options.ts';
import { createPendingBound } from './pending-bound.ts';
import type { Printer } from './printer.ts';
import type { Processes } from './processes.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import type { Router } from './router.ts';
import { createSessionChecker, type SessionChecker } from './session-checker.ts';
import type { Ground } from './set-up.ts';
import { createTimeline, type Timeline } from './timeline.ts';

/** Who looks at what the users are answered, and what may be done to them meanwhile. */
export interface Observers extends RehearsedFaults, CheckedFlush {
  readonly checker: Checker;
  readonly sessionChecker: SessionChecker;
  readonly recorder: Recorder;
  readonly timeline: Timeline;
  /** Where all that is observed comes in. */
  readonly answers: Pick<Recorder, 'record' | 'errors5xx'>;
  readonly source: RehearsalSource;
}

export interface ObserversOptions {
  readonly options: RehearsalOptions;
  readonly env: string;
  readonly ground: Ground;
  readonly printer: Printer;
  readonly processes: Processes;
  readonly router: Router;
  /** How long there is traffic before the first stage. */
  readonly baselineSeconds: number;
}

/** Fine enough for a stage of some seconds. */
const TIMELINE_MS = 250;

export function createObservers(given: ObserversOptions): Observers {
  const { options, env, ground, printer, processes, router, baselineSeconds } = given;
  const { migration = 'v2', mode } = options;
  const bound = createPendingBound();
  const checker = createChecker(undefined, bound);
  const sessionChecker = createSessionChecker(undefined, bound);
  const recorder = createRecorder();
  const timeline = createTimeline({ spanMs: TIMELINE_MS });
  const broken = rehearsedFaults({
    ...{ ground, bound },
    onEvent(event) {
      const { begun, over } = FAULT_TEXTS[event.name];
      printer.line(`fault    ${event.kind === 'fault' ? begun : over}`);
      source.event(event);
    },
  });
  const flushed = createCheckedFlush({ ...{ ground, env }, apart: broken.apart });
  const source: RehearsalSource = createRehearsalSource({
    ...{ options, env, checker, sessionChecker, recorder, router, baselineSeconds },
    ...{ flush: flushed.flush, faults: broken.faults },
    connectionFailures: processes.connectionFailures,
    switchMirrorOff:
      migration === 'v2' && mode === 'coherent' ? () => goWithoutMirror(processes, router) : undefined,
  });
  return {
    ...{ ...broken, ...flushed, checker, sessionChecker, recorder, timeline, source },
    answers: {
      get errors5xx() {
        return recorder.errors5xx;
      },
      record(observation) {
        recorder.record(observation);
        timeline.record(observation);
        source.observed(observation);
      },
    },
  };
}

/** From now on a legacy backend that knows no mirror gets what is the legacy backend's. */
async function goWithoutMirror(processes: Processes, router: Router): Promise<void> {
  const { url } = await processes.start('express', 'legacy', 'off');
  router.beginCanary('express', { url, percent: 100 });
}
