/** Which of the commands to come are meant: that of this name that comes after so many others of it. */
export interface Nth {
  readonly command: string;
  readonly after: number;
  /** How many that follow are meant, too. */
  readonly more?: number;
}

/** What is to happen to commands that are still to come. */
export interface Plans<Plan extends Nth> {
  add(plan: Plan): void;
  /** A command of this name has come. @returns what was planned for it. */
  next(command: string): Plan | undefined;
}

export function createPlans<Plan extends Nth>(): Plans<Plan> {
  const come = new Map<string, number>();
  const plans = new Map<string, Plan>();
  const numberOf = (command: string) => come.get(command) ?? 0;
  return {
    add(plan) {
      const first = numberOf(plan.command) + plan.after;
      const last = first + (plan.more ?? 0);
      for (let number = first; number <= last; number += 1) plans.set(`${plan.command} ${number}`, plan);
    },
    next(command) {
      const number = numberOf(command);
      come.set(command, number + 1);
      return plans.get(`${command} ${number}`);
    },
  };
}
