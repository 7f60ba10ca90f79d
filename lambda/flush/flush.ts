import { createSurvey } from './class-survey.ts';
import { FlushLimitError, FlushRefusedError } from './errors.ts';
import type { Page } from './pass/page.ts';
import type { Server, Target } from './pass/servers.ts';
import { type Pass, type Position, sweep } from './pass/sweep.ts';
import { createUnlinker } from './pass/unlinker.ts';
import type { FlushPlan } from './plan/plan.ts';
import { requirePermission, requireSameEnvironment } from './prepare.ts';
import { createTallies, type FlushedClass } from './tally.ts';

/** What a flush has done so far. */
export interface FlushProgress {
  /** Keys that the passes have seen, and how many there were when they began. */
  readonly scanned: number;
  readonly keys: number;
  /** Deleted, or in a dry run what would have been. */
  readonly flushed: number;
  readonly preserved: number;
  readonly seconds: number;
}

export interface FlushReport extends FlushProgress {
  readonly classes: readonly FlushedClass[];
  /** Whether every key was seen. */
  readonly complete: boolean;
  /** Where to go on when it is not complete. */
  readonly positions: readonly Position[];
  /** How often a pass had to be begun again. */
  readonly restarts: number;
}

export interface FlushOptions {
  readonly target: Target;
  readonly plan: FlushPlan;
  /** Counts and deletes nothing. */
  readonly dryRun?: boolean;
  /** For how long others may wait for Redis because of the flush (default 2); 0 for as fast as Redis goes. */
  readonly maxLatencyMs?: number;
  readonly limitSeconds?: number;
  readonly from?: readonly Position[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FlushProgress) => void;
  readonly onRestart?: (why: Error) => void;
}

export const DEFAULT_LIMIT_SECONDS = 60;
export const DEFAULT_MAX_LATENCY_MS = 2;

/**
 * Deletes the plan's keys in one pass over the keyspace, with UNLINK. Keys that stand during the whole pass are never missed;
 * those that appear meanwhile are not its business; running it again is harmless. At its limit it stops, and says so in
 * `complete`.
 * @throws ConfigurationError when the Redis is in use under another NODE_ENV; what `sweep` throws.
 */
export async function flush(options: FlushOptions): Promise<FlushReport> {
  const { target, plan, dryRun = false, onProgress } = options;
  const beganAt = performance.now();
  const tallies = createTallies(plan);
  let deleted = 0;
  const progress = (): FlushProgress => ({
    scanned: tallies.total(),
    keys: tallies.keys(),
    flushed: dryRun ? tallies.total('flush') : deleted,
    preserved: tallies.total('preserve'),
    seconds: Math.round(performance.now() - beganAt) / 1000,
  });

  const begin = (server: Server): Pass => {
    const { connection, clustered } = server;
    const tally = tallies.begin(server);
    const survey = dryRun ? createSurvey(connection, plan.classes.length) : undefined;
    const unlinker = createUnlinker({
      clustered,
      onDeleted(count) {
        deleted += count;
      },
    });
    return {
      visit(page: Page) {
        const { bytes } = page;
        const batch = dryRun ? undefined : unlinker.batchOf(page);
        page.forEachKey((start, end, at, next) => {
          const index = plan.classify(bytes, start, end);
          tally.counts[index] = (tally.counts[index] ?? 0) + 1;
          survey?.saw(index, bytes, start, end);
          if (!batch || plan.classes[index]?.fate !== 'flush') return;
          requireDue(plan, bytes.toString('latin1', start, end));
          batch.add(at, next);
        });
        onProgress?.(progress());
        return batch?.end();
      },
      async finish() {
        if (survey) tally.surveys = await survey.measure();
      },
      discard: () => tallies.discard(server),
    };
  };

  const { complete, positions, restarts } = await sweep({
    ...{ target, name: 'flush', begin },
    ...(options.from && { from: options.from }),
    ...(options.onRestart && { onRestart: options.onRestart }),
    signal: options.signal,
    maxLatencyMs: options.maxLatencyMs ?? DEFAULT_MAX_LATENCY_MS,
    limitSeconds: options.limitSeconds ?? DEFAULT_LIMIT_SECONDS,
    async prepare(server) {
      await requireSameEnvironment(server, plan.env);
      if (!dryRun) await requirePermission(server, plan);
    },
  });
  return { ...progress(), classes: tallies.byClass(), complete, positions, restarts };
}

/** @throws FlushLimitError for a flush that did not see every key. */
export function requireComplete(report: FlushReport, { dryRun = false } = {}): FlushReport {
  const { complete, scanned, flushed, seconds } = report;
  if (complete) return report;
  throw new FlushLimitError(
    `flush: stopped at its limit after ${seconds} s: ${scanned} keys seen, ${flushed} ${dryRun ? 'due, none deleted' : 'deleted'}; run it again to go on`,
  );
}

/** A pattern that two readers understand differently is nobody's order to delete. */
function requireDue(plan: FlushPlan, key: string): void {
  if (plan.isDue(key)) return;
  // Not which key: an id in a key may be a person's, and this gets into a log.
  throw new FlushRefusedError(
    `flush: the two readers of the patterns do not agree on a key, which stays; please report the patterns, ${plan.flush.join(' ')}`,
  );
}
