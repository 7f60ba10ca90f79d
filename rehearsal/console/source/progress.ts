import { type RehearsalOptions, stageSeconds } from '../../options.ts';
import { STEP_COUNT, STEPS_FORWARD, stepsBackFrom } from '../../phase-steps.ts';
import type { StageView } from '../contract.ts';
import type { RehearsalEvent } from './narration.ts';

/** How far a rehearsal is. */
export interface Progress {
  event(event: RehearsalEvent): void;
  pause(): void;
  resume(): void;
  readonly isPaused: boolean;
  /** Stages, or steps, as they are planned; those that a failure has left out are not there any more. */
  stages(): readonly StageView[];
  /** The one that is under way, and how long it takes if nothing holds it up. */
  current(): { readonly name: string; readonly leftSeconds: number } | undefined;
  /** When all of them are over if nothing holds them up, in milliseconds since 1970. */
  readonly endsAt: number;
}

export interface ProgressOptions
  extends Pick<RehearsalOptions, 'migration' | 'seconds' | 'stages' | 'mode' | 'users' | 'seed'> {
  /** Before the first stage. */
  readonly baselineSeconds: number;
  readonly now?: () => number;
}

interface Planned {
  readonly name: string;
  readonly seconds: number;
}

type Judged = Pick<StageView, 'reasons'> & { readonly status: 'passed' | 'failed' };

export function createProgress({ baselineSeconds, now = Date.now, ...options }: ProgressOptions): Progress {
  let plan = planOf(options);
  const judged = new Map<string, Judged>();
  let running: { readonly name: string; readonly endsAt: number } | undefined;
  /** How long it was held up in all, and since when it is. */
  let pausedMs = 0;
  let pausedAt: number | undefined;
  const heldUpMs = () => pausedMs + (pausedAt === undefined ? 0 : now() - pausedAt);
  const plannedEnd = now() + (baselineSeconds + options.seconds) * 1000;

  const begin = (name: string) => {
    const one = plan.find((each) => each.name === name);
    running = one && { name: one.name, endsAt: now() + one.seconds * 1000 - heldUpMs() };
  };
  const end = (
    name: string,
    { gate, reasons }: { readonly gate: 'pass' | 'fail'; readonly reasons: readonly string[] },
  ) => {
    judged.set(name, { status: gate === 'pass' ? 'passed' : 'failed', reasons });
    running = undefined;
  };

  return {
    get isPaused() {
      return pausedAt !== undefined;
    },
    get endsAt() {
      return plannedEnd + heldUpMs();
    },
    event(event) {
      switch (event.kind) {
        case 'stage':
          return begin(`${event.weightPercent} %`);
        case 'judged': {
          const { weightPercent, gate, reasons } = event.stage;
          return end(`${weightPercent} %`, { gate, reasons });
        }
        case 'step': {
          const { name } = event.step;
          const at = plan.findIndex((each) => each.name === name);
          plan = plan.filter((each, index) => judged.has(each.name) || index >= at);
          return begin(name);
        }
        case 'step judged':
          return end(event.step.step, event.step);
      }
    },
    pause() {
      pausedAt ??= now();
    },
    resume() {
      pausedMs = heldUpMs();
      pausedAt = undefined;
    },
    stages: () =>
      plan.map(({ name }) => ({
        name,
        ...(judged.get(name) ?? { status: name === running?.name ? 'current' : 'next', reasons: [] }),
      })),
    current: () =>
      running && {
        name: running.name,
        leftSeconds: Math.max(0, Math.ceil((running.endsAt + heldUpMs() - now()) / 1000)),
      },
  };
}

function planOf(options: RehearsalOptions): readonly Planned[] {
  if (options.migration === 'cw') {
    const steps = [...STEPS_FORWARD, ...stepsBackFrom('prefixed')];
    return steps.map(({ name }) => ({ name, seconds: options.seconds / STEP_COUNT }));
  }
  const lengths = stageSeconds(options);
  return options.stages.map((percent, index) => ({ name: `${percent} %`, seconds: lengths[index] ?? 0 }));
}
