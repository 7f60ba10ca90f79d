import type { Cursor } from '../../lambda/contract/rollout.ts';
import type { FlushProgress } from '../../lambda/flush/flush.ts';
import type { ObserveOptions, RecoveryVerdict } from '../../lambda/rollout/watch.ts';
import type { DatabaseProbe } from '../database-probe.ts';
import type { Recorder } from '../recorder.ts';
import type { StageReport } from '../report.ts';
import { type Judged, type StageWatch, watchStage } from './stage-watch.ts';

export interface RehearsedStage {
  readonly weightPercent: number;
  readonly seconds: number;
}

/** The stages of a rehearsed rollout: how long each lasts, and what it showed. */
export interface StageBook {
  /** That which is under way, or begins next. */
  next(): RehearsedStage;
  /** The next stage begins with its flush. */
  begin(flushed: FlushProgress): { readonly weightPercent: number };
  /** The weight has moved. */
  advanced(): void;
  /** Whether the hit rate is back since the flush. */
  recovery(): RecoveryVerdict;
  /** How fast minutes pass, so that a stage ends when its seconds are over. */
  pace(cursor: Cursor): Pick<ObserveOptions, 'lateMs' | 'minuteMs'>;
  /** The stage ends, or the next one where none has begun. @param reasons what speaks against going on. */
  end(reasons: readonly string[]): Judged;
  /** Ends the stage that is under way without a judgement. */
  abandon(): void;
  readonly reports: readonly StageReport[];
}

export interface StageBookOptions {
  readonly stages: readonly RehearsedStage[];
  readonly recorder: Recorder;
  readonly probe: DatabaseProbe;
  /** For how long the rollout was held up so far, in milliseconds. */
  readonly pausedMs: () => number;
}

/** Of the time of a stage, for how long it is observed at the least, however long the steps before took. */
const LEAST_OBSERVED_SHARE = 0.7;

export function createStageBook({ stages, recorder, probe, pausedMs }: StageBookOptions): StageBook {
  const reports: StageReport[] = [];
  let watch: StageWatch | undefined;
  /** When the next stage began: with the end of the one before. */
  let beganAt = Date.now();
  let pausedBefore = 0;

  const next = (): RehearsedStage => stages[reports.length] ?? { weightPercent: 0, seconds: 0 };
  const open = (flushed?: FlushProgress) =>
    watchStage({ ...next(), recorder, probe, before: reports.at(-1) }, flushed);
  const running = (): StageWatch => {
    if (!watch) throw new Error('rehearse: no stage has begun');
    return watch;
  };

  return {
    reports,
    next,
    begin(flushed) {
      watch = open(flushed);
      return next();
    },
    advanced: () => running().advanced(),
    recovery: () => running().recovery(),
    pace({ stages: planned, index, advancedAt }) {
      const { seconds } = next();
      const endsAt = beganAt + seconds * 1000 + pausedMs() - pausedBefore;
      const leftMs = endsAt - Date.parse(advancedAt ?? '');
      const observedMs = Math.max(leftMs, seconds * 1000 * LEAST_OBSERVED_SHARE);
      return { lateMs: 0, minuteMs: observedMs / (planned[index]?.minutes ?? 1) };
    },
    abandon: () => watch?.abandon(),
    end(reasons) {
      const judged = (watch ?? open()).end(reasons);
      watch = undefined;
      reports.push(judged.stage);
      [beganAt, pausedBefore] = [Date.now(), pausedMs()];
      return judged;
    },
  };
}
