import type { Acknowledgement } from '../lambda/cache/cache.ts';

/** A write that answered `pending` may be missed by reads for this long while the dispatcher reaches Redis. */
export const PENDING_BOUND_MS = 2000;

/** From when on every read has to see a write; of one that is pending it may still move. */
export interface Binding {
  readonly from: number;
}

/** Knows how long what is pending may be unseen. */
export interface PendingBound {
  /** Call it when a write's answer has arrived. */
  of(acknowledgement: Acknowledgement): Binding;
  /** Redis cannot be reached, nor does the dispatcher reach it: what is pending stays so. */
  away(): void;
  back(): void;
}

/** @param now milliseconds; replaced in tests. */
export function createPendingBound(now: () => number = () => performance.now()): PendingBound {
  let pending: { from: number }[] = [];
  let isAway = false;
  const forgetWhatBinds = () => {
    pending = pending.filter(({ from }) => from > now());
  };
  const moveTo = (from: number) => {
    forgetWhatBinds();
    for (const binding of pending) binding.from = from;
  };
  return {
    of(acknowledgement) {
      if (acknowledgement === 'done') return { from: now() };
      const binding = { from: isAway ? Number.POSITIVE_INFINITY : now() + PENDING_BOUND_MS };
      forgetWhatBinds();
      pending.push(binding);
      return binding;
    },
    away() {
      isAway = true;
      moveTo(Number.POSITIVE_INFINITY);
    },
    back() {
      isAway = false;
      moveTo(now() + PENDING_BOUND_MS);
    },
  };
}
