import timers from 'node:timers/promises';
import type { Turns } from './turns.ts';

/** The time of a schedule: it passes only in turns. */
export interface Time {
  pass(ms: number): void;
  /** Runs the work, servers that start for example, on the real clock. */
  real<T>(work: () => Promise<T>): Promise<T>;
}

interface Running {
  now: number;
  readonly turns: Turns;
}

let running: Running | undefined;

/**
 * Takes over what the product waits and measures with, for as long as a schedule runs: a wait ends in a turn, however
 * long it is, and the clock is then late enough for it. So a slow machine changes no schedule. Call it once a file.
 */
export function takeOverTime(): void {
  const { setTimeout: sleep } = timers;
  const now = performance.now.bind(performance);
  const { random } = Math;
  const inTurn = <T>(waitMs = 0, value?: T) => {
    const schedule = running;
    if (!schedule) return sleep(waitMs, value);
    const due = schedule.now + waitMs;
    return new Promise<T | undefined>((resolve) => {
      schedule.turns.take('a wait ends', () => {
        schedule.now = Math.max(schedule.now, due);
        resolve(value);
      });
    });
  };
  // Not by spies: they remember each call, which is a gigabyte in ten thousand schedules.
  timers.setTimeout = inTurn as typeof sleep;
  performance.now = () => running?.now ?? now();
  // Jitter, which decides nothing here.
  Math.random = () => (running ? 0.5 : random());
}

/** Runs a schedule in a time of its own. */
export async function inTurns(turns: Turns, work: (time: Time) => Promise<void>): Promise<void> {
  const own: Running = { now: 1000, turns };
  running = own;
  try {
    await work({
      pass(ms) {
        own.now += ms;
      },
      async real(work) {
        running = undefined;
        try {
          return await work();
        } finally {
          running = own;
        }
      },
    });
  } finally {
    running = undefined;
  }
}
