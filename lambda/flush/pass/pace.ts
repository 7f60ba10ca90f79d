import { setTimeout as sleep } from 'node:timers/promises';

/** How fast a pass goes. */
export interface Pace {
  /** How many keys a SCAN visits at a time: Redis serves nobody else for as long. */
  readonly pageKeys: number;
  /** Whether the next page is asked for before this one is looked at. */
  readonly ahead: boolean;
  /** Waits for its turn, between two pages. @param longestMs how long Redis took to answer a command of the last page. */
  turn(longestMs: number): Promise<void>;
}

/** Larger pages were no faster, and others felt them: measured with a million keys. */
const UNPACED_PAGE_KEYS = 1000;

/** As fast as the server goes. */
export const unpaced: Pace = { pageKeys: UNPACED_PAGE_KEYS, ahead: true, turn: async () => {} };

const FIRST_PAGE_KEYS = 250;
const MIN_PAGE_KEYS = 50;
const MAX_PAGE_KEYS = 1000;
const GROWTH_KEYS = 25;
const MAX_PAUSE_MS = 50;

export interface PaceOptions {
  /** For how long others may wait for Redis because of this pass, or because of what else it does. */
  readonly maxLatencyMs: number;
  /** How long the way to Redis and back takes, which is nobody's waiting. */
  readonly roundTripMs: number;
}

/**
 * A pace that others do not feel. Redis serves one command at a time, so that nobody waits longer because of this pass than its own
 * commands take. When one took longer than may be, pages are halved, and where they are small already a pause is doubled;
 * else pages grow by a few keys: the way in which TCP shares a line (additive increase, multiplicative decrease: Chiu and
 * Jain, 1989).
 */
export function paced({ maxLatencyMs, roundTripMs }: PaceOptions): Pace {
  let pageKeys = FIRST_PAGE_KEYS;
  let pauseMs = 0;
  return {
    get pageKeys() {
      return pageKeys;
    },
    ahead: false,
    async turn(longestMs) {
      if (longestMs - roundTripMs <= maxLatencyMs) {
        pageKeys = Math.min(MAX_PAGE_KEYS, pageKeys + GROWTH_KEYS);
        pauseMs = pauseMs > 1 ? pauseMs / 2 : 0;
      } else if (pageKeys > MIN_PAGE_KEYS) pageKeys = Math.max(MIN_PAGE_KEYS, Math.round(pageKeys / 2));
      else pauseMs = Math.min(MAX_PAUSE_MS, Math.max(1, pauseMs * 2));
      if (pauseMs > 0) await sleep(pauseMs);
    },
  };
}
