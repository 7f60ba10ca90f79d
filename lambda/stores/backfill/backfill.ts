import { FlushLimitError } from '../../flush/errors.ts';
import { DEFAULT_MAX_LATENCY_MS } from '../../flush/flush.ts';
import type { Page } from '../../flush/pass/page.ts';
import type { Server, Target } from '../../flush/pass/servers.ts';
import { type Pass, type Position, sweep } from '../../flush/pass/sweep.ts';
import { requireSameEnvironment } from '../../flush/prepare.ts';
import { connectRedis } from '../../redis/connection.ts';
import { carry, type Outcome } from './carry.ts';
import type { BackfillPlan } from './plan.ts';

/** Keys by what became of them. */
export type Outcomes = Readonly<Record<Outcome, number>>;

export interface BackfillProgress {
  /** Keys that the passes have seen, of every kind, and how many there were when they began. */
  readonly scanned: number;
  readonly keys: number;
  /** Carried, or in a dry run what would have been. */
  readonly carried: number;
  readonly seconds: number;
}

export interface BackfillReport extends BackfillProgress {
  readonly families: readonly ({ readonly name: string } & Outcomes)[];
  readonly left: BackfillPlan['left'];
  /** Whether every key was seen. */
  readonly complete: boolean;
  /** Where to go on when it is not complete. */
  readonly positions: readonly Position[];
  /** How often a pass had to be begun again: then what was carried before is there already. */
  readonly restarts: number;
}

export interface BackfillOptions {
  readonly target: Target;
  readonly plan: BackfillPlan;
  /** Counts and changes nothing. */
  readonly dryRun?: boolean;
  /** For how long others may wait for Redis because of it (default 2); 0 for as fast as it goes. */
  readonly maxLatencyMs?: number;
  readonly limitSeconds?: number;
  readonly from?: readonly Position[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackfillProgress) => void;
  readonly onRestart?: (why: Error) => void;
}

export const DEFAULT_BACKFILL_LIMIT_SECONDS = 600;

/** Where nobody's waiting is looked at: a pace, all the same, since keys that are being carried are memory. */
const UNFELT_MS = 1e9;
const DEADLINE_MS = 10_000;
/** Keys that are carried at once: Redis has a fraction of a millisecond to do for them, in which it serves nobody else. */
const AT_ONCE = 25;

const NONE: Outcomes = { carried: 0, kept: 0, foreign: 0, gone: 0 };

interface Tally {
  readonly keys: number;
  scanned: number;
  /** By family. */
  readonly outcomes: Record<Outcome, number>[];
}

/**
 * Gives one home of the state what the other has, with the time when it ends, in one pass over the keyspace. What is there already
 * stays, or is joined as the family says; running it again changes nothing; whoever reads and writes meanwhile goes on doing so. Keys
 * that stand during the whole pass are never missed. At its limit it stops, and says so in `complete`.
 * @throws ConfigurationError when the Redis is in use under another NODE_ENV; what `sweep` throws.
 */
export async function backfill(options: BackfillOptions): Promise<BackfillReport> {
  const { target, plan, dryRun = false, maxLatencyMs = DEFAULT_MAX_LATENCY_MS, onProgress } = options;
  const beganAt = performance.now();
  const tallies = new Map<string, Tally>();
  const sum = (of: (tally: Tally) => number) =>
    [...tallies.values()].reduce((total, tally) => total + of(tally), 0);
  const progress = (): BackfillProgress => ({
    scanned: sum(({ scanned }) => scanned),
    keys: sum(({ keys }) => keys),
    carried: sum(({ outcomes }) => outcomes.reduce((total, { carried }) => total + carried, 0)),
    seconds: Math.round(performance.now() - beganAt) / 1000,
  });
  // In a cluster the other home of a key is on another server.
  const across = target.cluster
    ? connectRedis({ ...target, name: 'cutover-backfill', deadlineMs: DEADLINE_MS })
    : undefined;

  const begin = ({ connection, runId, keys, clustered }: Server): Pass => {
    const tally: Tally = { keys, scanned: 0, outcomes: plan.families.map(() => ({ ...NONE })) };
    tallies.set(runId, tally);
    const ways = { from: connection.send, to: across?.send ?? connection.send, clustered, dryRun };

    const carryOne = async (key: Buffer, index: number) => {
      const { joining = 'absent' } = plan.families[index] ?? {};
      const outcome = await carry(ways, joining, { key, home: plan.destinationOf(key) });
      const outcomes = tally.outcomes[index];
      if (outcomes) outcomes[outcome] += 1;
    };

    return {
      visit(page: Page) {
        const due: { key: Buffer; index: number }[] = [];
        page.forEachKey((start, end) => {
          const index = plan.classify(page.bytes, start, end);
          if (index >= 0) due.push({ key: Buffer.from(page.bytes.subarray(start, end)), index });
        });
        tally.scanned += page.count;
        onProgress?.(progress());
        if (due.length === 0) return undefined;
        return async () => {
          for (let at = 0; at < due.length; at += AT_ONCE) {
            const some = due.slice(at, at + AT_ONCE);
            await Promise.all(some.map(({ key, index }) => carryOne(key, index)));
          }
        };
      },
      discard: () => void tallies.delete(runId),
    };
  };

  try {
    const { complete, positions, restarts } = await sweep({
      ...{ target, name: 'backfill', begin, signal: options.signal },
      ...(options.from && { from: options.from }),
      ...(options.onRestart && { onRestart: options.onRestart }),
      maxLatencyMs: maxLatencyMs > 0 ? maxLatencyMs : UNFELT_MS,
      limitSeconds: options.limitSeconds ?? DEFAULT_BACKFILL_LIMIT_SECONDS,
      // In a cluster, too, before anything is carried from any of its servers.
      prepare: (server) =>
        requireSameEnvironment(
          across ? { connection: across, clustered: false } : server,
          plan.env,
          'backfill',
        ),
    });
    return {
      ...progress(),
      families: plan.families.map(({ name }, index) => ({ name, ...outcomesOf(tallies, index) })),
      left: plan.left,
      ...{ complete, positions, restarts },
    };
  } finally {
    across?.close();
  }
}

function outcomesOf(tallies: ReadonlyMap<string, Tally>, index: number): Outcomes {
  const total = { ...NONE };
  for (const { outcomes } of tallies.values()) {
    for (const name of Object.keys(total) as Outcome[]) total[name] += outcomes[index]?.[name] ?? 0;
  }
  return total;
}

/** @throws FlushLimitError for a backfill that did not see every key. */
export function requireCarried(report: BackfillReport, { dryRun }: { readonly dryRun: boolean }): void {
  const { complete, scanned, keys, carried, seconds } = report;
  if (complete) return;
  throw new FlushLimitError(
    `backfill: stopped at its limit after ${seconds} s: ${scanned} of ${keys} keys seen, ${carried} ${dryRun ? 'due, none carried' : 'carried'}; run it again, with a longer --limit-seconds`,
  );
}
