import { setTimeout as sleep } from 'node:timers/promises';

/** How fast a pass goes. */
export interface Pace {
  /** How many keys a SCAN visits at a time: Redis serves nobody else for as long. */
  readonly pageKeys: number;
  /** Waits for its turn, between two pages. @param tookMs how long Redis took for the longest command of the last one. */
  turn(tookMs: number): Promise<void>;
}

const FIRST_PAGE_KEYS = 100;
const MIN_PAGE_KEYS = 50;
/** With 500, a million keys went a fifth faster, and the slowest hundredth of others' reads took half as long again. */
const MAX_PAGE_KEYS = 250;
const GROWTH_KEYS = 10;
const MAX_PAUSE_MS = 50;

export interface PaceOptions {
  /** For how long others may wait for Redis because of this pass, or because of what else it does. */
  readonly maxLatencyMs: number;
  /** How long the way to Redis and back takes, which is nobody's waiting. */
  readonly roundTripMs: number;
}

/**
 * A pace that others do not feel. Redis serves one command at a time, so that nobody waits longer because of this pass than its
 * commands take. When one took longer than may be, pages are halved, and where they are small already a pause is
 * doubled; else pages grow by a few keys: the way in which TCP shares a line (additive increase, multiplicative decrease:
 * Chiu and Jain, 1989).
 */
export function paced({ maxLatencyMs, roundTripMs }: PaceOptions): Pace {
  let pageKeys = FIRST_PAGE_KEYS;
  let pauseMs = 0;
  return {
    get pageKeys() {
      return pageKeys;
    },
    async turn(tookMs) {
      if (tookMs - roundTripMs <= maxLatencyMs) {
        pageKeys = Math.min(MAX_PAGE_KEYS, pageKeys + GROWTH_KEYS);
        pauseMs = pauseMs > 1 ? pauseMs / 2 : 0;
      } else if (pageKeys > MIN_PAGE_KEYS) pageKeys = Math.max(MIN_PAGE_KEYS, Math.round(pageKeys / 2));
      else pauseMs = Math.min(MAX_PAUSE_MS, Math.max(1, pauseMs * 2));
      if (pauseMs > 0) await sleep(pauseMs);
    },
  };
}
