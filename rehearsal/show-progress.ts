import type { Checker } from './checker.ts';
import type { Printer } from './printer.ts';
import type { Recorder } from './recorder.ts';

const EVERY_MS = 500;
const RECENT_MS = 2000;

export interface ProgressSources {
  readonly printer: Pick<Printer, 'progress'>;
  readonly recorder: Recorder;
  readonly checker: Pick<Checker, 'summary'>;
  /** When the traffic began, on the clock of `performance.now()`. */
  readonly begin: number;
  readonly totalSeconds: number;
}

/** Has what the last seconds were like printed. @returns call it at the end. */
export function showProgress({ printer, recorder, checker, ...times }: ProgressSources): () => void {
  const timer = setInterval(() => {
    const { reads, hits } = recorder.rateSince(performance.now() - RECENT_MS);
    const { express, serverless } = recorder.takeShares();
    printer.progress({
      ...times,
      requests: recorder.requests,
      errors5xx: recorder.errors5xx,
      serverlessPercent: (serverless / Math.max(1, express + serverless)) * 100,
      hitRate: reads === 0 ? undefined : hits / reads,
      p95Ms: recorder.hitP95Ms().serverless,
      staleReads: checker.summary().staleReads,
    });
  }, EVERY_MS);
  return () => clearInterval(timer);
}
