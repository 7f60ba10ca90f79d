import type { Send } from './redis-store.ts';

/**
 * Says since when nobody has needed the legacy keys in phase `dual`: the time, in milliseconds since 1970, of the last read that a legacy
 * key has answered, or of when somebody began to look. Who has it in Redis need not ask every process, of which some are gone.
 */
export const FALLBACK = 'cutover:fallback';

/** After so long without a process in `dual` nobody knows any more what happened, and looking begins anew. */
const KEPT_MS = 3600 * 1000;
const REFRESH_MS = 30_000;
const AGAIN_MS = 1000;

export interface FallbackMark {
  /** To be called while the process reads in `dual`; sends two commands each 30 s at most. */
  isHere(): void;
  /** A legacy key has answered a read; told to Redis once a second at most. */
  noticed(): void;
}

export interface FallbackMarkOptions {
  readonly send: Send;
  /** The wall clock, in milliseconds. */
  readonly now?: () => number;
}

/** Nobody waits for its commands, and their errors are nobody's: without the mark a next phase is only not said to be safe. */
export function createFallbackMark({ send, now = Date.now }: FallbackMarkOptions): FallbackMark {
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let noticedAt = Number.NEGATIVE_INFINITY;
  const tell = (command: readonly string[]) => void send(command).catch(() => {});
  return {
    isHere() {
      const at = now();
      // Also when the clock was set back.
      if (Math.abs(at - refreshedAt) < REFRESH_MS) return;
      refreshedAt = at;
      tell(['SET', FALLBACK, String(at), 'NX', 'PX', String(KEPT_MS)]);
      tell(['PEXPIRE', FALLBACK, String(KEPT_MS)]);
    },
    noticed() {
      const at = now();
      if (Math.abs(at - noticedAt) < AGAIN_MS) return;
      noticedAt = at;
      tell(['SET', FALLBACK, String(at), 'PX', String(KEPT_MS)]);
    },
  };
}
