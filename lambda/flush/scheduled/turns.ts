import { OPERATOR_TIMEOUT_SECONDS } from '../../contract/operator.ts';
import type { FlushEvent } from '../event.ts';
import type { KeyspaceReads } from '../keyspace-reads.ts';
import type { Position } from '../pass/sweep.ts';
import type { FlushTurn } from '../turn.ts';

/** All turns of a flush together. */
export interface Turns {
  readonly dryRun: boolean;
  readonly complete: boolean;
  /** Where to go on when it is not complete. */
  readonly positions: readonly Position[];
  readonly turns: number;
  readonly scanned: number;
  /** Deleted, or in a dry run what would have been; twice what a pass saw that had to be begun again in another turn. */
  readonly flushed: number;
  readonly preserved: number;
  /** Of the passes. */
  readonly seconds: number;
  /** Before the first turn and after the last. */
  readonly keyspace: {
    readonly before: KeyspaceReads | undefined;
    readonly after: KeyspaceReads | undefined;
  };
}

/** Has the operator do one turn. @throws OperatorError; on the way there, the errors of the AWS SDK. */
export type FlushOnce = (event: FlushEvent) => Promise<FlushTurn>;

export interface TurnsOptions {
  readonly event: FlushEvent;
  readonly flushOnce: FlushOnce;
  /** How long there is for turns, in milliseconds; the first one is always begun. */
  readonly remainingMs: () => number;
}

/** Has the operator do turns until it is complete, there is no time for another one, or one has seen no key. */
export async function takeTurns({ event, flushOnce, remainingMs }: TurnsOptions): Promise<Turns> {
  let last = await flushOnce(event);
  let sum = { ...last, turns: 1 };
  while (!last.complete && last.scanned > 0 && remainingMs() > OPERATOR_TIMEOUT_SECONDS * 1000) {
    last = await flushOnce({ ...event, positions: [...last.positions] });
    sum = {
      ...last,
      turns: sum.turns + 1,
      scanned: sum.scanned + last.scanned,
      flushed: sum.flushed + last.flushed,
      preserved: sum.preserved + last.preserved,
      seconds: sum.seconds + last.seconds,
      keyspace: { before: sum.keyspace.before, after: last.keyspace.after },
    };
  }
  const { dryRun, complete, positions, turns, scanned, flushed, preserved, seconds, keyspace } = sum;
  return { dryRun, complete, positions, turns, scanned, flushed, preserved, seconds, keyspace };
}
