import { around, hitPercent, MINUTE_MS, type Minute, startOfMinute } from './minutes.ts';

/** What requirement R7 expects of a flush: it costs hits, and they come back in time. */
export const RECOVERY = { expectedLowPercent: 40, recoveredPercent: 80, withinMinutes: 10 } as const;

/** A rate of fewer reads a minute says nothing. */
const MIN_READS = 20;
/** A minute's last line is written up to 10 s after it, and CloudWatch takes a minute to show it. */
const LATE_MS = 2 * MINUTE_MS;

export type Verdict = 'recovered' | 'not recovered' | 'did not fall' | 'too early' | 'too few reads';

/** Whether the hit rate fell, and came back. */
export interface Recovery {
  readonly verdict: Verdict;
  /** Whether a minute since the flush was not above 80 %. */
  readonly fell: boolean;
  /** Whether it is above 80 % at the last minute that was looked at. */
  readonly recovered: boolean;
  /** From the flush to the end of the last minute that was not above it; undefined unless it fell and recovered. */
  readonly afterSeconds: number | undefined;
  readonly beforePercent: number | undefined;
  /** In the worst minute since; about 40 is expected. */
  readonly lowestPercent: number | undefined;
  /** In the last minute that was looked at. */
  readonly lastPercent: number | undefined;
}

export interface RecoveryOptions {
  /** From before the flush to now. */
  readonly minutes: readonly Minute[];
  /** When the flush began, and now, in milliseconds since 1970. */
  readonly since: number;
  readonly now: number;
}

/** Judges the ten minutes since a flush; pure. A rate that came back and fell again has not recovered. */
export function judgeRecovery({ minutes, since, now }: RecoveryOptions): Recovery {
  const endsAt = since + RECOVERY.withinMinutes * MINUTE_MS;
  const { before } = around(minutes, { began: since, ended: since });
  const looked = minutes
    .filter(({ at }) => at >= startOfMinute(since) && at + MINUTE_MS <= endsAt)
    .filter(({ hits, misses }) => hits + misses >= MIN_READS)
    .map((minute) => ({ at: minute.at, percent: hitPercent([minute]) ?? 0 }))
    .sort((one, other) => one.at - other.at);
  const isLow = ({ percent }: { percent: number }) => percent <= RECOVERY.recoveredPercent;
  const lastLow = looked.findLast(isLow);
  const last = looked.at(-1);
  const fell = lastLow !== undefined;
  const recovered = last !== undefined && !isLow(last);
  const over = now >= endsAt + LATE_MS;
  return {
    verdict: verdictOf({ fell, recovered, over, any: last !== undefined }),
    ...{ fell, recovered },
    afterSeconds: lastLow && recovered ? (lastLow.at + MINUTE_MS - since) / 1000 : undefined,
    beforePercent: hitPercent(before),
    lowestPercent: last && Math.min(...looked.map(({ percent }) => percent)),
    lastPercent: last?.percent,
  };
}

interface Seen {
  readonly fell: boolean;
  readonly recovered: boolean;
  readonly over: boolean;
  readonly any: boolean;
}

/** While the ten minutes are not over, only what a fall and a recovery show together is an answer. */
function verdictOf({ fell, recovered, over, any }: Seen): Verdict {
  if (fell && recovered) return 'recovered';
  if (!over) return 'too early';
  if (!any) return 'too few reads';
  return fell ? 'not recovered' : 'did not fall';
}
