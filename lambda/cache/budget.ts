import { CutoverError } from '../contract/errors.ts';

/** A read has waited for the store as long as it may; what it has sent may still be executed. */
export class BudgetError extends CutoverError {
  override readonly name = 'BudgetError';
  readonly code = 'CUTOVER_BUDGET';
}

/** What a read may wait for the store, with all its commands together: the connection's 100 ms and one reply's 150 ms. */
export const READ_BUDGET_MS = 250;

/** No read waits longer, however the waits fall. */
const MOST_WAIT_MS = 300;

/** What one read may still wait for the store. The time that it loads, or waits for another's load, is not in it. */
export interface Budget {
  readonly leftMs: number;
  /** Gives back what was not spent on the store, in milliseconds. */
  exclude(ms: number): void;
  /**
   * Settles as `pending` does. @throws BudgetError when nothing is left: `pending` goes on then, and nobody hears of it
   * but `onLate`.
   */
  wait<T>(pending: Promise<T>, onLate?: () => void): Promise<T>;
}

export interface BudgetOptions {
  /** When the read began, on the clock of `performance.now()`. Default: now. */
  readonly beganAt?: number;
  /** After how long the store gives up a step by itself. Default: never. */
  readonly longestWaitMs?: number | undefined;
  readonly budgetMs?: number;
}

/** The budget of one read. */
export const createBudget = (options: BudgetOptions = {}): Budget => new ReadBudget(options);

/** One object a read, where closures were five. */
class ReadBudget implements Budget {
  #beganAt: number;
  readonly #longestWaitMs: number;
  readonly #budgetMs: number;

  constructor({
    beganAt = performance.now(),
    longestWaitMs = Number.POSITIVE_INFINITY,
    budgetMs = READ_BUDGET_MS,
  }: BudgetOptions) {
    this.#beganAt = beganAt;
    this.#longestWaitMs = longestWaitMs;
    this.#budgetMs = budgetMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#budgetMs - this.#spentMs());
  }

  exclude(ms: number): void {
    this.#beganAt += ms;
  }

  wait<T>(pending: Promise<T>, onLate = () => {}): Promise<T> {
    // A timer and a promise for each wait took a miss a twentieth of its time.
    if (this.#spentMs() + this.#longestWaitMs <= MOST_WAIT_MS) return pending;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        reject(tooLate(this.#budgetMs));
        onLate();
      };
      // After the replies that are there already: a busy event loop runs its timers first.
      let check: NodeJS.Immediate | undefined;
      const timer = setTimeout(() => {
        check = setImmediate(giveUp);
      }, Math.ceil(this.leftMs));
      const end = () => {
        clearTimeout(timer);
        clearImmediate(check);
      };
      pending.then(resolve, reject).finally(end);
    });
  }

  #spentMs(): number {
    return performance.now() - this.#beganAt;
  }
}

const tooLate = (budgetMs: number) =>
  new BudgetError(
    `cache: the ${budgetMs} ms that a read may wait for the store are used up; it goes on without`,
  );
