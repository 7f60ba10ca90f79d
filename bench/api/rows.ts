import type { FunctionName } from '../../lambda/contract/environment.ts';

/** What answers the requests: the deployed bundle, the same one with CACHE_MODE=off, or a handler of one constant. */
export type ContenderName = 'cached' | 'uncached' | 'bare';

/** Reads of a flag over so many keep-alive connections, one request at a time on each: medians of all rounds. */
export interface ReadsRow {
  readonly case: 'flag-read';
  readonly contender: ContenderName;
  readonly connections: number;
  readonly requestsPerSecond: number;
  /** Medians of the ratios of requests per second in the same round: machines differ and drift, ratios hold. */
  readonly ratioToUncached: number;
  readonly ratioToBare: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
}

/** The start of a process with one bundle. */
export interface BundleRow {
  readonly case: 'bundle';
  readonly bundle: BundleName;
  /** Of `index.mjs`, in thousands of bytes. */
  readonly sizeKb: number;
  /** Until when: the first answer, or no more than the import, where a call would change something. */
  readonly until: 'answered' | 'imported';
  /** From the start of the process; the median of all rounds. */
  readonly startMs: number;
  /** The median of the differences to the bare handler's start in the same round. */
  readonly overBareMs: number;
}

/** A deployed function's bundle, or that of the bare handler. */
export type BundleName = FunctionName | 'bare';

export type ApiRow = ReadsRow | BundleRow;

export const isReads = (row: ApiRow): row is ReadsRow => row.case === 'flag-read';
export const isBundle = (row: ApiRow): row is BundleRow => row.case === 'bundle';
