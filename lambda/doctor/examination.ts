import { codeOf } from './codes.ts';

/** What a check says: `not run` is no answer, and does not count as passed. */
export const OUTCOMES = ['pass', 'warn', 'fail', 'not run'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a check has found. */
export interface Finding {
  readonly outcome: Outcome;
  readonly text: string;
  /** What to do about it; none where all is well. */
  readonly remedy?: string;
}

/** A finding with the check that made it. */
export interface CheckReport extends Finding {
  readonly check: string;
}

export const pass = (text: string): Finding => ({ outcome: 'pass', text });
export const warn = (text: string, remedy: string): Finding => ({ outcome: 'warn', text, remedy });
export const fail = (text: string, remedy: string): Finding => ({ outcome: 'fail', text, remedy });
export const notRun = (text: string, remedy?: string): Finding => ({
  outcome: 'not run',
  text,
  ...(remedy !== undefined && { remedy }),
});

/** Checks one after another, so that a cause is named once: what depends on it is `not run`. */
export interface Examination {
  /**
   * Runs a check unless one that it needs has not passed, and keeps what it finds. Never rejects: what a check throws says why it
   * could not be run.
   * @param needs checks before this one, by their names.
   */
  check(name: string, needs: readonly string[], look: () => Finding | Promise<Finding>): Promise<void>;
  /** All of them so far, in their order. */
  readonly checks: readonly CheckReport[];
}

export function createExamination(): Examination {
  const checks: CheckReport[] = [];
  /** By a check that was not run because of another: the one at the root. */
  const roots = new Map<string, string>();

  const rootOf = (needs: readonly string[]): string | undefined => {
    for (const name of needs) {
      const found = checks.find(({ check }) => check === name);
      if (found && (found.outcome === 'pass' || found.outcome === 'warn')) continue;
      return roots.get(name) ?? name;
    }
    return undefined;
  };

  return {
    checks,
    async check(name, needs, look) {
      const root = rootOf(needs);
      if (root !== undefined) {
        roots.set(name, root);
        checks.push({ check: name, ...notRun(`needs ${root}`) });
        return;
      }
      let finding: Finding;
      try {
        finding = await look();
      } catch (error) {
        finding = unanswered(error);
      }
      checks.push({ check: name, ...finding });
    },
  };
}

/** PostgreSQL's code of a right that is lacking. */
const INSUFFICIENT_PRIVILEGE = '42501';

function unanswered(error: unknown): Finding {
  const message = error instanceof Error ? error.message || error.name : String(error);
  if (message.startsWith('NOPERM ')) {
    return notRun(`Redis refuses it to this user: ${message}`, 'give the user the right that it names');
  }
  if (codeOf(error) === INSUFFICIENT_PRIVILEGE) {
    return notRun(
      `PostgreSQL refuses it to this role: ${message}`,
      'run the function migrate, which grants it',
    );
  }
  return notRun(message);
}

/** 0 where every check has passed or warned, else 1. */
export const exitCodeOf = (checks: readonly Pick<Finding, 'outcome'>[]): 0 | 1 =>
  checks.every(({ outcome }) => outcome === 'pass' || outcome === 'warn') ? 0 : 1;
