/** Who flushes: ours without and with its pace, the plain script, the shell's one-liner; and nobody, beside whom the others are felt. */
export const FLUSHERS = ['unpaced', 'paced', 'plain', 'shell', 'nobody'] as const;
export type Flusher = (typeof FLUSHERS)[number];

/** How long somebody who reads meanwhile waits, in milliseconds. */
export interface Waits {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What one flush took; where nobody flushes, only the waits are numbers. */
export interface FlushRun {
  readonly seconds: number;
  /** The most memory that the client had; NaN for the shell, which is many processes. */
  readonly memoryMb: number;
  readonly waits: Waits;
}

/** A flusher with so many keys: medians of all rounds. */
export interface FlushRow extends FlushRun {
  readonly flusher: Flusher;
  readonly keys: number;
  readonly deletedPerSecond: number;
  /** Medians of the ratios of the same round: machines differ and drift, ratios hold. */
  readonly ratioToPlain: number;
  readonly ratioToShell: number;
  /** The plain script's p99 of the bystander to this one's. */
  readonly calmerThanPlain: number;
}
