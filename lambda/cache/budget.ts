import { CutoverError } from '../contract/errors.ts';

/** A read has waited for the store as long as it may; what it has sent may still be executed. */
export class BudgetError extends CutoverError {
  override readonly name = 'BudgetError';
  readonly code = 'CUTOVER_BUDGET';
}

/** What a read may wait for the store, with all its commands together: the connection's 100 ms and one reply's 150 ms. */
export const READ_BUDGET_MS = 250;

/** What one read may still wait for the store. The time that it loads, or waits for another's load, is not in it. */
export interface Budget {
  readonly leftMs: number;
  /** Takes off a wait that was bounded elsewhere, in milliseconds. */
  spend(ms: number): void;
  /** Settles as `pending` does. @throws BudgetError when nothing is left: `pending` goes on then, and nobody hears of it. */
  wait<T>(pending: Promise<T>): Promise<T>;
}

/** A budget of which nothing is spent. */
export function createBudget(budgetMs = READ_BUDGET_MS): Budget {
  let leftMs = budgetMs;
  const late = () =>
    new BudgetError(
      `cache: the ${budgetMs} ms that a read may wait for the store are used up; it goes on without`,
    );
  return {
    get leftMs() {
      return leftMs;
    },
    spend(ms) {
      leftMs = Math.max(0, leftMs - ms);
    },
    wait: (pending) =>
      new Promise((resolve, reject) => {
        const begin = performance.now();
        const giveUp = () => {
          leftMs = 0;
          reject(late());
        };
        // After the replies that are there already: a busy event loop runs its timers first.
        const timer = setTimeout(() => setImmediate(giveUp), leftMs);
        const end = () => {
          clearTimeout(timer);
          leftMs = Math.max(0, leftMs - (performance.now() - begin));
        };
        pending.then(
          (value) => {
            end();
            resolve(value);
          },
          (error: unknown) => {
            end();
            reject(error);
          },
        );
      }),
  };
}
