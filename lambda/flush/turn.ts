import { type FlushReport, flush } from './flush.ts';
import { type KeyspaceReads, readKeyspaceReads } from './keyspace-reads.ts';
import type { Target } from './pass/servers.ts';
import type { Position } from './pass/sweep.ts';
import type { FlushPlan } from './plan/plan.ts';

/** What a turn of a flush has done. Without a survey no key is in it: an id in a key may be a person's. */
export interface FlushTurn extends FlushReport {
  readonly dryRun: boolean;
  /** Of INFO stats, before and after; undefined where they could not be read. */
  readonly keyspace: {
    readonly before: KeyspaceReads | undefined;
    readonly after: KeyspaceReads | undefined;
  };
}

/** How a turn goes, as its event says. */
export interface TurnEvent {
  readonly maxLatencyMs?: number | undefined;
  readonly limitSeconds?: number | undefined;
  readonly positions?: readonly Position[] | undefined;
}

export interface FlushTurnOptions {
  readonly target: Target;
  readonly plan: FlushPlan;
  readonly dryRun: boolean;
  readonly event: TurnEvent & { readonly survey?: boolean | undefined };
  /** How long the function has left, in milliseconds. */
  readonly remainingMs: () => number;
}

const MAX_SECONDS = 60;
/** For what is under way when time is up, the reading after it, and the answer. */
const RESERVE_MS = 5000;

/** How long a turn may take: a minute, or less if it is asked to or the function has less left. */
export function turnSeconds({ limitSeconds = MAX_SECONDS }: TurnEvent, remainingMs: () => number): number {
  return Math.max(0, Math.min(MAX_SECONDS, limitSeconds, (remainingMs() - RESERVE_MS) / 1000));
}

/**
 * One turn of a flush, which stops in time, and says in `positions` where the next one goes on.
 * @throws what `flush` throws.
 */
export async function flushInTurn(options: FlushTurnOptions): Promise<FlushTurn> {
  const { target, plan, dryRun, event, remainingMs } = options;
  const { maxLatencyMs, positions, survey = false } = event;
  const before = await readKeyspaceReads(target);
  const { classes, ...report } = await flush({
    ...{ target, plan, dryRun },
    ...(maxLatencyMs !== undefined && { maxLatencyMs }),
    ...(positions && { from: positions }),
    limitSeconds: turnSeconds(event, remainingMs),
  });
  return {
    ...report,
    dryRun,
    classes: survey ? classes : classes.map(({ survey: _survey, ...counts }) => counts),
    keyspace: { before, after: await readKeyspaceReads(target) },
  };
}
