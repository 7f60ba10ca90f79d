import type { Random } from '../../rehearsal/random.ts';

/** What a process does: each step is one atomic command. */
export type Steps<T> = Generator<void, T, void>;

export interface Interleaving {
  readonly random: Random;
  /** The newest version that every read beginning now has to see. */
  readonly floor: () => number;
  /** Begins a read, which returns the version that it saw, or a write, which returns nothing. */
  readonly begin: () => Steps<number | undefined>;
  /** What happens of itself between two steps. */
  readonly happen: () => void;
}

const STEPS = 140;
const MAX_LIVE = 6;

/** Runs processes against each other, one random step after the other. @returns how many reads were stale. */
export function countStale({ random, floor, begin, happen }: Interleaving): number {
  const live: { readonly steps: Steps<number | undefined>; readonly floor: number }[] = [];
  let stale = 0;
  for (let step = 0; step < STEPS; step += 1) {
    if (live.length < MAX_LIVE && random() < 0.5) live.push({ steps: begin(), floor: floor() });
    happen();
    const index = Math.floor(random() * live.length);
    const process = live[index];
    if (!process) continue;
    const { done, value } = process.steps.next();
    if (!done) continue;
    live.splice(index, 1);
    if (value !== undefined && value < process.floor) stale += 1;
  }
  return stale;
}
