import type { Scheduler } from 'fast-check';

type Step = () => Promise<void> | void;

/** Lets every step of a schedule wait for its turn: nothing else decides what happens before what. */
export interface Turns {
  /** Runs the step when the scheduler picks it, and before it picks another one. */
  take(label: string, step: Step): void;
  /** As `take`, but the scheduler may pick it only after so many other turns, or when nothing else is left. */
  takeAfter(others: number, label: string, step: Step): void;
  /** Resolves when no step is left. @throws what a step threw. */
  all(): Promise<void>;
}

interface Held {
  readonly from: number;
  readonly label: string;
  readonly step: Step;
}

/** Lets the code under test go on as far as it can: its microtasks and ticks run before the next turn begins. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

export function createTurns(scheduler: Scheduler): Turns {
  const errors: unknown[] = [];
  /** In the order in which the scheduler may pick them. */
  const held: Held[] = [];
  let turn = 0;

  const take: Turns['take'] = (label, step) => {
    const builder = async () => {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    };
    scheduler.scheduleSequence([{ label, builder }]);
  };

  const releaseUpTo = (turn: number) => {
    while (held[0] && held[0].from <= turn) {
      const { label, step } = held[0];
      held.shift();
      take(label, step);
    }
  };

  return {
    take,
    takeAfter(others, label, step) {
      if (others === 0) return take(label, step);
      held.push({ from: turn + others, label, step });
      held.sort((one, other) => one.from - other.from);
    },
    async all() {
      await settled();
      do {
        await scheduler.waitIdle(async (release) => {
          await release();
          turn += 1;
          await settled();
          releaseUpTo(turn);
        });
        releaseUpTo(held[0]?.from ?? 0);
      } while (scheduler.count() > 0);
      if (errors.length > 0) throw errors[0];
    },
  };
}
