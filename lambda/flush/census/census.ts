import type { Family } from '../../contract/families.ts';
import { FlushLimitError } from '../errors.ts';
import { DEFAULT_MAX_LATENCY_MS } from '../flush.ts';
import type { Page } from '../pass/page.ts';
import type { Server, Target } from '../pass/servers.ts';
import { type Pass, type Position, sweep } from '../pass/sweep.ts';
import { type Classes, createClasses } from './classes.ts';
import { addKey, type Counts, createCounts, mergeCounts } from './counts.ts';
import { measure } from './measure.ts';
import { type CensusFigures, figuresOf } from './report.ts';

/** How far a census is. */
export interface CensusProgress {
  /** Keys that the passes have seen, and how many there were when they began. */
  readonly scanned: number;
  readonly expected: number;
  readonly seconds: number;
}

export interface CensusReport extends CensusFigures, CensusProgress {
  /** Whether every key was seen. */
  readonly complete: boolean;
  /** How often a pass had to be begun again. */
  readonly restarts: number;
}

export interface CensusOptions {
  readonly target: Target;
  /** The name in `cw:{env}:`, by convention `NODE_ENV`. */
  readonly env: string;
  /** Default: the registry's. */
  readonly families?: readonly Family[];
  /** For how long others may wait for Redis because of the census (default 2); 0 for as fast as Redis goes. */
  readonly maxLatencyMs?: number;
  readonly limitSeconds?: number;
  /** Where an earlier census has stopped; what that had counted is to be added. */
  readonly from?: readonly Position[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CensusProgress) => void;
  readonly onRestart?: (why: Error) => void;
}

/** Longer than a flush may take: nobody waits for it, and it asks twice for each key. */
export const DEFAULT_CENSUS_LIMIT_SECONDS = 600;

/** What was counted in a pass over one server. */
export interface ServerCounts {
  readonly runId: string;
  readonly counts: Counts;
  readonly expected: number;
  /** Whether the pass went on where an earlier one had stopped: what that had counted still counts. */
  readonly resumed: boolean;
  scanned: number;
}

/** A census that nobody has made figures of. */
export interface Counted extends CensusProgress {
  readonly classes: Classes;
  readonly servers: readonly ServerCounts[];
  readonly complete: boolean;
  /** Where to go on when it is not complete. */
  readonly positions: readonly Position[];
  readonly restarts: number;
}

/**
 * Counts and measures every key in one pass over the keyspace, and changes nothing: SCAN, MEMORY USAGE and PTTL do not touch
 * what the eviction of Redis goes by. Of keys that come or go meanwhile some are counted, and while Redis shrinks its table a
 * key may be seen twice. At its limit it stops, and says so in `complete`.
 * @throws what `sweep` throws.
 */
export async function census(options: Omit<CensusOptions, 'from'>): Promise<CensusReport> {
  const { classes, servers, positions: _positions, ...rest } = await countKeys(options);
  const counts = servers.map((server) => server.counts);
  return { ...figuresOf(classes, mergeCounts(classes, counts)), ...rest };
}

/** Counts as a census does, or goes on with one. @throws what `sweep` throws. */
export async function countKeys(options: CensusOptions): Promise<Counted> {
  const { target, env, onProgress } = options;
  const beganAt = performance.now();
  const classes = createClasses(env, options.families);
  const servers = new Map<string, ServerCounts>();
  const sum = (of: (each: ServerCounts) => number) =>
    Array.from(servers.values()).reduce((total, each) => total + of(each), 0);
  const progress = (): CensusProgress => ({
    scanned: sum(({ scanned }) => scanned),
    expected: sum(({ expected }) => expected),
    seconds: Math.round(performance.now() - beganAt) / 1000,
  });

  const begin = ({ runId, keys }: Server, resumed: boolean): Pass => {
    const counts = createCounts(classes);
    const own: ServerCounts = { runId, counts, expected: keys, resumed, scanned: 0 };
    servers.set(runId, own);
    return {
      visit(page: Page) {
        const indexes = new Uint16Array(page.count);
        let filled = 0;
        page.forEachKey((start, end) => {
          indexes[filled] = classes.classify(page.bytes, start, end);
          filled += 1;
        });
        own.scanned += page.count;
        onProgress?.(progress());
        return measure(page, (at, measured) => {
          if (measured) addKey(counts, classes, indexes[at] ?? 0, measured);
          else counts.vanished += 1;
        });
      },
      discard: () => void servers.delete(runId),
    };
  };

  const { complete, positions, restarts } = await sweep({
    ...{ target, name: 'census', begin, signal: options.signal },
    maxLatencyMs: options.maxLatencyMs ?? DEFAULT_MAX_LATENCY_MS,
    limitSeconds: options.limitSeconds ?? DEFAULT_CENSUS_LIMIT_SECONDS,
    ...(options.from && { from: options.from }),
    ...(options.onRestart && { onRestart: options.onRestart }),
  });
  return { classes, servers: [...servers.values()], ...progress(), complete, positions, restarts };
}

/** @throws FlushLimitError for a census that did not see every key. */
export function requireWhole({ complete, scanned, expected, seconds }: CensusReport): void {
  if (complete) return;
  throw new FlushLimitError(
    `census: stopped at its limit after ${seconds} s: ${scanned} of ${expected} keys seen, so the figures are those of a part; raise --limit-seconds, or --max-latency-ms`,
  );
}
