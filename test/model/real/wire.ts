import type { Send } from '../../../lambda/cache/redis-store.ts';
import { DeadlineError } from '../../../lambda/redis/deadline.ts';
import { createPlans, type Nth, type Plans } from './plans.ts';
import type { Turns } from './turns.ts';

/** What becomes of a command whose reply is lost. */
export type Fate = 'late' | 'never';

/** The reply of a command is lost. */
export interface Loss extends Nth {
  readonly fate: Fate;
  /** For how many turns of the others a late command stays away at least. */
  readonly others: number;
}

/** A command waits for so many turns of the others. */
export interface Pause extends Nth {
  readonly others: number;
}

/** What is to happen to the commands of a process, over whichever of its connections they travel. */
export interface Mishaps {
  readonly losses: Plans<Loss>;
  readonly pauses: Plans<Pause>;
}

export const createMishaps = (): Mishaps => ({ losses: createPlans(), pauses: createPlans() });

/**
 * A connection as the schedule sees it: commands arrive in the order in which they were sent, their replies come back
 * in that order, and between any two of these steps another connection may have its turn.
 */
export interface Wire {
  readonly send: Send;
  /** Breaks the connection: whoever waits for a reply hears so, and what was not executed never is. */
  cut(): void;
  /** Whoever sent on it is gone: nobody waits for a reply, and what was not executed never is. */
  kill(): void;
}

interface Sent {
  readonly command: readonly (string | Buffer)[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface WireOptions {
  /** The real connection, on which each command is sent when its turn has come. */
  readonly execute: Send;
  readonly takeAfter: Turns['takeAfter'];
  readonly mishaps: Mishaps;
}

export function createWire(name: string, { execute, takeAfter, mishaps }: WireOptions): Wire {
  const { losses, pauses } = mishaps;
  let sent: Sent[] = [];
  let replies: { readonly to: Sent; readonly settle: () => void }[] = [];
  const late = new Set<Sent>();

  /** One turn waits however much is queued: a pipeline is no more likely to go on than a single command. */
  const executeNext = (): void => {
    const [next] = sent;
    if (!next) return;
    takeAfter(pauses.next(kindOf(next))?.others ?? 0, `${name} ${titleOf(next)}`, async () => {
      if (sent[0] !== next) return;
      const settle = await outcome(next);
      sent.shift();
      executeNext();
      replies.push({ to: next, settle });
      if (replies.length === 1) deliver();
    });
  };

  /** Replies that are there when the process looks at its socket are heard together. */
  const deliver = (): void => {
    const [first] = replies;
    if (!first) return;
    takeAfter(0, `${name} hears of ${titleOf(first.to)}`, () => {
      if (replies[0] !== first) return;
      for (const { settle } of replies.splice(0)) settle();
    });
  };

  const outcome = async (next: Sent): Promise<() => void> => {
    const loss = losses.next(kindOf(next));
    if (loss?.fate === 'late') executeLate(next, loss);
    if (loss) return () => next.reject(new DeadlineError(`model: the reply to ${titleOf(next)} is lost`));
    try {
      const reply = await execute(next.command);
      return () => next.resolve(reply);
    } catch (error) {
      return () => next.reject(error);
    }
  };

  const executeLate = (overdue: Sent, { others }: Loss) => {
    late.add(overdue);
    takeAfter(others, `${name} late ${titleOf(overdue)}`, async () => {
      if (late.delete(overdue)) await execute(overdue.command).catch(() => {});
    });
  };

  return {
    send: (command) =>
      isAside(command)
        ? Promise.resolve('OK')
        : new Promise((resolve, reject) => {
            sent.push({ command, resolve, reject });
            if (sent.length === 1) executeNext();
          }),
    kill() {
      [sent, replies] = [[], []];
    },
    cut() {
      const waiting = [...replies.map(({ to }) => to), ...sent];
      [sent, replies] = [[], []];
      late.clear();
      for (const { reject } of waiting) reject(new DeadlineError('model: the connection is lost'));
    },
  };
}

/** What no read depends on, and nobody waits for: it is no part of the protocol, and one of them comes by the clock. */
const isAside = ([, key]: readonly (string | Buffer)[]): boolean =>
  /^cutover:(seen|instance):/.test(String(key));

/** The name of a command; one that takes a lease is told from the other SETs, and a script is one however it is named. */
function kindOf({ command: [name, , , condition] }: Sent): string {
  if (name === 'EVALSHA') return 'EVAL';
  return name === 'SET' && condition === 'NX' ? 'SET NX' : String(name);
}

/** The command and what it is about; a script's keys are its third argument and more. */
function titleOf(sent: Sent): string {
  const [name, ...args] = sent.command.map(String);
  return kindOf(sent) === 'EVAL' ? `${name} ${args.slice(2).join(' ')}` : `${name} ${args.join(' ')}`;
}
