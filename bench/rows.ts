/** Hits or misses with so many reads in flight: medians of all rounds. */
export interface ThroughputRow {
  readonly case: 'hit' | 'miss';
  readonly library: string;
  readonly inFlight: number;
  readonly valueBytes: number;
  readonly opsPerSecond: number;
  /** Median of the ratios to raw's throughput in the same round: machines differ and drift, ratios hold. */
  readonly ratioToRaw: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Callers that miss one key at once. */
export interface StampedeRow {
  readonly case: 'stampede' | 'stampede-two-processes';
  readonly library: string;
  readonly callers: number;
  /** How often the value was loaded, in the worst of all rounds. */
  readonly loads: number;
}

/** A reader loads the old value, a writer updates and invalidates, then the reader's fill lands. */
export interface LateFillRow {
  readonly case: 'late-fill';
  readonly library: string;
  /** How the writer made the cache forget. */
  readonly means: string;
  /** Whether a read after all that answered the old value. */
  readonly stale: boolean;
}

/** Reads while Redis is stopped for a while, or killed and started again. */
export interface OutageRow {
  readonly case: 'freeze' | 'kill';
  readonly library: string;
  readonly reads: number;
  /** Whether a read rejected, or a rejection was left unhandled. */
  readonly threw: boolean;
  /** Reads that had no answer when the bench stopped waiting. */
  readonly hanging: number;
  /** The longest that a read took whose load takes no time, in milliseconds. */
  readonly longestWaitMs: number;
  /** Whether reads are hits again afterwards. */
  readonly recovered: boolean;
  /** What ended the contender's process, where it did not survive. */
  readonly error?: string;
}

export type Row = ThroughputRow | StampedeRow | LateFillRow | OutageRow;
