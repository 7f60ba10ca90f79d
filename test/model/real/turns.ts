import type { Scheduler } from 'fast-check';

/** Lets every step of a schedule wait for its turn: nothing else decides what happens before what. */
export interface Turns {
  /** Runs the step when the scheduler picks it, and before it picks another one. */
  take(label: string, step: () => Promise<void> | void): void;
  /** Runs the steps in their order, each when the scheduler picks it. */
  takeInOrder(steps: readonly { label: string; step: () => Promise<void> | void }[]): void;
  /** Resolves when no step is left. @throws what a step threw. */
  all(): Promise<void>;
}

/** Lets the code under test go on as far as it can: its microtasks and ticks run before the next turn begins. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

export function createTurns(scheduler: Scheduler): Turns {
  const errors: unknown[] = [];
  const takeInOrder: Turns['takeInOrder'] = (steps) => {
    scheduler.scheduleSequence(
      steps.map(({ label, step }) => ({
        label,
        builder: async () => {
          try {
            await step();
          } catch (error) {
            errors.push(error);
          }
        },
      })),
    );
  };
  return {
    take: (label, step) => takeInOrder([{ label, step }]),
    takeInOrder,
    async all() {
      await scheduler.waitIdle(async (turn) => {
        await turn();
        await settled();
      });
      if (errors.length > 0) throw errors[0];
    },
  };
}
