/**
 * A frozen sandbox finds its socket open, however long ago the peer went away: TCP learns it only from a packet that
 * nobody answers, after minutes. So a gap on the wall clock (timers and the monotonic clock may have stood still, too)
 * makes the socket prove itself before a command is entrusted to it.
 */

/** Shorter than what it takes to replace a Redis, and rare enough that the proof, one round trip, is not felt. */
export const THAW_AFTER_MS = 5000;

/** How much of a command's time the proof may take, 100 ms of 250: a new connection and the reply need the rest. */
export const PROOF_SHARE = 0.4;

/** Whether a connection may be used as it is. */
export interface ThawCheck {
  /** True, and the use is noted, where the last one is not long ago; false where `proven` has to be awaited. */
  awake(): boolean;
  /** Notes a use that needed no proof: the connection is new. */
  used(): void;
  /** Asks for a proof before the next use. */
  doubt(): void;
  /** Whether the next use has to be preceded by a proof. */
  isIdle(): boolean;
  /** Resolves, never rejects, when the socket has proved itself or was replaced; whoever asks meanwhile shares it. */
  proven(): Promise<void>;
}

export interface ThawOptions {
  /** The wall clock, in milliseconds. */
  readonly now: () => number;
  /** Asks the socket for a sign of life and replaces it if none comes; never rejects. False where the next use has to ask again. */
  readonly prove: () => Promise<boolean>;
}

export function createThawCheck({ now, prove }: ThawOptions): ThawCheck {
  let usedAt = now();
  let proof: Promise<void> | undefined;
  const used = () => {
    usedAt = now();
  };
  const needsProof = (at: number) => {
    const gapMs = at - usedAt;
    // A clock that was set back says nothing about the gap.
    return proof !== undefined || gapMs > THAW_AFTER_MS || gapMs < 0;
  };
  const doubt = () => {
    usedAt = Number.NEGATIVE_INFINITY;
  };
  return {
    used,
    doubt,
    isIdle: () => needsProof(now()),
    awake() {
      const at = now();
      if (needsProof(at)) return false;
      usedAt = at;
      return true;
    },
    proven() {
      proof ??= prove().then((proven) => {
        proof = undefined;
        if (proven) used();
        else doubt();
      });
      return proof;
    },
  };
}
