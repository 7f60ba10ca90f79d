import type { Send } from '../../../lambda/cache/redis-store.ts';
import { DeadlineError } from '../../../lambda/redis/deadline.ts';
import type { Turns } from './turns.ts';

/** What becomes of a command whose reply is lost. */
export type Fate = 'late' | 'never';

/** The reply of a command is lost: of that of this name that comes after so many others of it. */
export interface Loss {
  readonly command: string;
  readonly after: number;
  readonly fate: Fate;
  /** For how many turns of the others a late command stays away at least. */
  readonly others: number;
}

/** The command that comes after so many others waits for so many turns of the others. */
export interface Pause {
  readonly after: number;
  readonly others: number;
}

/**
 * A connection as the schedule sees it: commands arrive in the order in which they were sent, their replies come back
 * in that order, and between any two of these steps another connection may have its turn.
 */
export interface Wire {
  readonly send: Send;
  lose(loss: Loss): void;
  pause(pause: Pause): void;
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

/** @param execute the real connection, on which each command is sent when its turn has come. */
export function createWire(
  name: string,
  { execute, takeAfter }: { execute: Send; takeAfter: Turns['takeAfter'] },
): Wire {
  /** What will be lost, by the command's name and its number among those of this name. */
  const losses = new Map<string, Loss>();
  const sentOf = new Map<string, number>();
  let sent: Sent[] = [];
  let replies: { readonly to: Sent; readonly settle: () => void }[] = [];
  const late = new Set<Sent>();
  /** How many turns of the others a command waits for, by its number on this connection. */
  const pauses = new Map<number, number>();
  let executed = 0;

  /** One turn waits however much is queued: a pipeline is no more likely to go on than a single command. */
  const executeNext = (): void => {
    const [next] = sent;
    if (!next) return;
    takeAfter(pauses.get(executed) ?? 0, `${name} ${titleOf(next)}`, async () => {
      if (sent[0] !== next) return;
      executed += 1;
      const settle = await outcome(next);
      sent.shift();
      executeNext();
      replies.push({ to: next, settle });
      if (replies.length === 1) deliverNext();
    });
  };

  const deliverNext = (): void => {
    const [next] = replies;
    if (!next) return;
    takeAfter(0, `${name} hears of ${titleOf(next.to)}`, () => {
      if (replies[0] !== next) return;
      replies.shift();
      deliverNext();
      next.settle();
    });
  };

  const outcome = async (next: Sent): Promise<() => void> => {
    const command = kindOf(next);
    const number = sentOf.get(command) ?? 0;
    sentOf.set(command, number + 1);
    const loss = losses.get(`${command} ${number}`);
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
      new Promise((resolve, reject) => {
        sent.push({ command, resolve, reject });
        if (sent.length === 1) executeNext();
      }),
    lose(loss) {
      losses.set(`${loss.command} ${(sentOf.get(loss.command) ?? 0) + loss.after}`, loss);
    },
    pause({ after, others }) {
      pauses.set(executed + after, others);
    },
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

/** The name of a command; one that takes a lease is told from the other SETs. */
function kindOf({ command: [name, , , condition] }: Sent): string {
  return name === 'SET' && condition === 'NX' ? 'SET NX' : String(name);
}

/** The command and what it is about; a script's keys are its third argument and more. */
function titleOf({ command }: Sent): string {
  const [name, ...args] = command.map(String);
  return name === 'EVAL' ? `${name} ${args.slice(2).join(' ')}` : `${name} ${args.join(' ')}`;
}
