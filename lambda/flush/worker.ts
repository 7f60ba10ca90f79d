import type { FlushEvent } from './event.ts';
import { type FlushReport, flush } from './flush.ts';
import { type KeyspaceReads, readKeyspaceReads } from './keyspace-reads.ts';
import type { Target } from './pass/servers.ts';
import { planFlush } from './plan/plan.ts';
import type { FlushedClass } from './tally.ts';

/** What a turn of the worker has done. No key is in it: an id in a key may be a person's. */
export interface WorkerReport extends Omit<FlushReport, 'classes'> {
  readonly dryRun: boolean;
  readonly classes: readonly Pick<FlushedClass, 'pattern' | 'fate' | 'keys'>[];
  /** Of INFO stats, before and after; undefined where they could not be read. */
  readonly keyspace: {
    readonly before: KeyspaceReads | undefined;
    readonly after: KeyspaceReads | undefined;
  };
}

export interface WorkerOptions {
  readonly target: Target;
  /** By convention `NODE_ENV`. */
  readonly env: string;
  /** What a turn is that does not say. */
  readonly dryRun: boolean;
  readonly event: FlushEvent;
  /** How long the function has left, in milliseconds. */
  readonly remainingMs: () => number;
}

const MAX_SECONDS = 60;
/** For what is under way when time is up, the reading after it, and the answer. */
const RESERVE_MS = 5000;

/**
 * One turn of a flush, which stops in time, and says in `positions` where the next one goes on.
 * @throws ConfigurationError for the patterns; what `flush` throws.
 */
export async function flushInTurn(options: WorkerOptions): Promise<WorkerReport> {
  const { target, env, event, remainingMs } = options;
  const { dryRun = options.dryRun, patterns, preserve, maxLatencyMs, positions } = event;
  const plan = planFlush({ env, patterns, preserve });
  const before = await readKeyspaceReads(target);
  const { classes, ...report } = await flush({
    ...{ target, plan, dryRun },
    ...(maxLatencyMs !== undefined && { maxLatencyMs }),
    ...(positions && { from: positions }),
    limitSeconds: Math.max(0, Math.min(MAX_SECONDS, (remainingMs() - RESERVE_MS) / 1000)),
  });
  return {
    ...report,
    dryRun,
    classes: classes.map(({ pattern, fate, keys }) => ({ pattern, fate, keys })),
    keyspace: { before, after: await readKeyspaceReads(target) },
  };
}
