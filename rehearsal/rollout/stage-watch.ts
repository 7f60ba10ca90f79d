import type { FlushProgress } from '../../lambda/flush/flush.ts';
import { GATE } from '../../lambda/rollout/gates.ts';
import type { RecoveryVerdict } from '../../lambda/rollout/watch.ts';
import type { DatabaseProbe } from '../database-probe.ts';
import { AFTER_SHARE } from '../options.ts';
import type { Recorder } from '../recorder.ts';
import type { StageReport } from '../report.ts';

/** What is told of a stage that was judged. */
export interface Judged {
  readonly stage: StageReport;
  readonly requests: number;
  readonly reads: number;
}

/** Measures a stage, from its flush on. */
export interface StageWatch {
  /** The weight has moved. */
  advanced(): void;
  /** Whether the hit rate is back since the flush. */
  recovery(): RecoveryVerdict;
  /** Ends it. @param reasons what speaks against going on; empty where nothing does. */
  end(reasons: readonly string[]): Judged;
  /** Ends it without a judgement. */
  abandon(): void;
}

export interface StageWatchOptions {
  readonly weightPercent: number;
  readonly seconds: number;
  readonly recorder: Recorder;
  readonly probe: DatabaseProbe;
  readonly before: StageReport | undefined;
}

/** Over how many reads a hit rate is followed while it falls and recovers. */
const TRAILING_READS = 50;
const LOOK_EVERY_MS = 50;
/** Over how many reads it has to be back, as lambda/flush has it for a minute: at 5 % of the traffic they take a second. */
const RECOVERED_READS = 20;
/** In which a hit rate has to be back; requirement R7 says 10 minutes. */
const RECOVERY_SHARE = 0.5;

/** @param flushed what the flush has done; undefined where the stage ended before it. */
export function watchStage(
  { weightPercent, seconds, recorder, probe, before }: StageWatchOptions,
  flushed?: FlushProgress,
): StageWatch {
  const began = performance.now();
  const databaseBefore = before?.databaseP95Ms.after ?? probe.takeP95Ms() ?? null;
  recorder.restartLatencies();
  const atFlush = recorder.mark();
  let atAdvance = atFlush;
  let advancedAt: number | undefined;
  let lowest: number | null = null;
  let recoverySeconds: number | null = null;
  let databaseDuring: number | undefined;

  const look = () => {
    const rate = recorder.trailingRate(TRAILING_READS, atFlush);
    if (rate !== undefined) lowest = Math.min(lowest ?? 1, round(rate));
    if (advancedAt === undefined) return;
    const recovered = recorder.trailingRate(TRAILING_READS, atAdvance);
    if (recovered !== undefined && recovered > GATE.minHitRate) {
      recoverySeconds ??= round((performance.now() - advancedAt) / 1000);
    }
    const isAfter = performance.now() - began >= seconds * 1000 * (1 - AFTER_SHARE);
    if (isAfter) databaseDuring ??= probe.takeP95Ms();
  };
  const looking = setInterval(look, LOOK_EVERY_MS);

  return {
    advanced() {
      advancedAt = performance.now();
      atAdvance = recorder.mark();
    },
    recovery() {
      look();
      const rate = recorder.trailingRate(RECOVERED_READS, atFlush);
      const isLate = performance.now() - began > seconds * 1000 * RECOVERY_SHARE;
      const percents = { lastPercent: percentOf(rate ?? null), lowestPercent: percentOf(lowest) };
      if (rate === undefined) return { verdict: isLate ? 'too few reads' : 'too early', ...percents };
      if (rate <= GATE.minHitRate) return { verdict: isLate ? 'not recovered' : 'too early', ...percents };
      return {
        verdict: lowest !== null && lowest <= GATE.minHitRate ? 'recovered' : 'did not fall',
        ...percents,
      };
    },
    abandon: () => clearInterval(looking),
    end(reasons) {
      look();
      clearInterval(looking);
      const now = recorder.mark();
      const afterBegin = performance.now() - seconds * 1000 * AFTER_SHARE;
      const after = recorder.rateSince(afterBegin, { atLeast: GATE.minReads, since: atAdvance });
      const { express = null, serverless = null } = recorder.hitP95Ms();
      return {
        requests: now.requests - atFlush.requests,
        reads: after.reads,
        stage: {
          weightPercent,
          flush: {
            deleted: flushed?.flushed ?? 0,
            preserved: flushed?.preserved ?? 0,
            seconds: flushed?.seconds ?? 0,
          },
          hitRate: {
            before: before?.hitRate.after ?? null,
            lowest,
            after: after.reads === 0 ? null : round(after.hits / after.reads),
          },
          recoverySeconds,
          p95Ms: { express, serverless },
          databaseP95Ms: {
            before: databaseBefore,
            during: databaseDuring ?? null,
            after: probe.takeP95Ms() ?? null,
          },
          gate: reasons.length === 0 ? 'pass' : 'fail',
          reasons,
        },
      };
    },
  };
}

const percentOf = (rate: number | null): number | undefined => (rate === null ? undefined : rate * 100);
const round = (value: number) => Math.round(value * 1000) / 1000;
