import type { Send } from '../../../lambda/cache/redis-store.ts';
import { DeadlineError } from '../../../lambda/redis/deadline.ts';
import type { Turns } from './turns.ts';

/** What becomes of a command whose reply is lost. */
export type Fate = 'late' | 'never';

/**
 * A connection as the schedule sees it: commands arrive in the order in which they were sent, their replies come back
 * in that order, and between any two of these steps another connection may have its turn.
 */
export interface Wire {
  readonly send: Send;
  /** Loses the reply of the next command of this name; the command itself is executed late, or never. */
  lose(command: string, fate: Fate): void;
  /** Breaks the connection: whoever waits for a reply hears so, and what was not executed never is. */
  cut(): void;
}

interface Sent {
  readonly command: readonly (string | Buffer)[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** @param execute the real connection, on which each command is sent when its turn has come. */
export function createWire(name: string, { execute, turns }: { execute: Send; turns: Turns }): Wire {
  const losses: { readonly command: string; readonly fate: Fate }[] = [];
  let sent: Sent[] = [];
  let replies: { readonly to: Sent; readonly settle: () => void }[] = [];
  const late = new Set<Sent>();

  const executeNext = async () => {
    const next = sent.shift();
    if (!next) return;
    const settle = await outcome(next);
    replies.push({ to: next, settle });
    turns.take(`${name} hears of ${titleOf(next)}`, () => replies.shift()?.settle());
  };

  const outcome = async (next: Sent): Promise<() => void> => {
    const lost = losses.findIndex(({ command }) => command === next.command[0]);
    if (lost >= 0) {
      const [loss] = losses.splice(lost, 1);
      if (loss?.fate === 'late') executeLate(next);
      return () => next.reject(new DeadlineError(`model: the reply to ${titleOf(next)} is lost`));
    }
    try {
      const reply = await execute(next.command);
      return () => next.resolve(reply);
    } catch (error) {
      return () => next.reject(error);
    }
  };

  const executeLate = (overdue: Sent) => {
    late.add(overdue);
    turns.take(`${name} late ${titleOf(overdue)}`, async () => {
      if (late.delete(overdue)) await execute(overdue.command).catch(() => {});
    });
  };

  return {
    send: (command) =>
      new Promise((resolve, reject) => {
        const next = { command, resolve, reject };
        sent.push(next);
        turns.take(`${name} ${titleOf(next)}`, executeNext);
      }),
    lose(command, fate) {
      losses.push({ command, fate });
    },
    cut() {
      const waiting = [...replies.map(({ to }) => to), ...sent];
      [sent, replies] = [[], []];
      late.clear();
      for (const { reject } of waiting) reject(new DeadlineError('model: the connection is lost'));
    },
  };
}

/** The command and what it is about; a script's keys are its third argument and more. */
function titleOf({ command }: Sent): string {
  const [name, ...args] = command.map(String);
  return name === 'EVAL' ? `${name} ${args.slice(2).join(' ')}` : `${name} ${args.join(' ')}`;
}
