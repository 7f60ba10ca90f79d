import type { Staleness } from './checker.ts';
import type { Mode, RehearsalOptions } from './options.ts';

/** What `report.json` holds. Hit rates are the serverless backend's; null stands where nothing was measured. */
export interface Report {
  readonly mode: Mode;
  readonly verdict: 'pass' | 'fail';
  /** What speaks against a pass; empty when it is one. */
  readonly reasons: readonly string[];
  readonly durationSeconds: number;
  readonly seed: number;
  readonly users: number;
  readonly totals: {
    readonly requests: number;
    readonly errors5xx: number;
  } & Omit<Staleness, 'staleByBackend'>;
  readonly staleByBackend: Staleness['staleByBackend'];
  readonly preserved: { readonly checked: number; readonly lost: number };
  /** What Redis refused to the users that its parts connect as: `legacy: key v2:mocs:1 (3 times)`. */
  readonly refusals: readonly string[];
  readonly stages: readonly StageReport[];
}

export interface StageReport {
  readonly weightPercent: number;
  readonly flush: { readonly deleted: number; readonly preserved: number; readonly seconds: number };
  /**
   * `before`: at the end of the stage before. `lowest`: over any 50 reads since the flush. `after`: over the last 40 % of
   * the stage, or its last 200 reads where these are more.
   */
  readonly hitRate: {
    readonly before: number | null;
    readonly lowest: number | null;
    readonly after: number | null;
  };
  /** From the new weight to a hit rate of 0.8 over the last 50 reads; null if that never came. */
  readonly recoverySeconds: number | null;
  /** Of reads answered from the cache. */
  readonly p95Ms: { readonly express: number | null; readonly serverless: number | null };
  /** Of a list read straight from the database, 20 times a second. */
  readonly databaseP95Ms: {
    readonly before: number | null;
    readonly during: number | null;
    readonly after: number | null;
  };
  readonly gate: 'pass' | 'fail';
  readonly reasons: readonly string[];
}

/** A run with less than this proves nothing. */
export const MIN_WRITES = 500;
export const MIN_CROSS_BACKEND_READS = 100;

/** The verdict over a whole run. @returns what speaks against it; empty for a pass. */
export function reasonsAgainst(run: Pick<Report, 'totals' | 'preserved' | 'refusals' | 'stages'>): string[] {
  const { totals, preserved, refusals, stages } = run;
  const complaints = [
    totals.staleReads > 0 && `${totals.staleReads} stale reads`,
    totals.errors5xx > 0 && `${totals.errors5xx} answers were 5xx`,
    preserved.lost > 0 && `${preserved.lost} preserved keys were lost`,
    ...refusals.map((refusal) => `Redis refused ${refusal}`),
    totals.writes < MIN_WRITES &&
      `${totals.writes} writes are fewer than the ${MIN_WRITES} that a verdict needs; run longer`,
    totals.crossBackendReads < MIN_CROSS_BACKEND_READS &&
      `${totals.crossBackendReads} cross-backend reads are fewer than the ${MIN_CROSS_BACKEND_READS} that a verdict needs; run longer`,
    ...stages.map(
      ({ weightPercent, gate, reasons }) =>
        gate === 'fail' && `stage ${weightPercent} %: ${reasons.join(', ')}`,
    ),
  ];
  return complaints.filter((complaint) => complaint !== false);
}

/** What a run measured, to be judged. */
export interface RunFigures extends Pick<Report, 'durationSeconds' | 'preserved' | 'refusals' | 'stages'> {
  readonly options: Pick<RehearsalOptions, 'mode' | 'seed' | 'users'>;
  readonly requests: number;
  readonly errors5xx: number;
  readonly staleness: Staleness;
}

/** The report of a run, with its verdict. */
export function createReport({
  options,
  durationSeconds,
  requests,
  errors5xx,
  staleness,
  preserved,
  refusals,
  stages,
}: RunFigures): Report {
  const { staleByBackend, ...counts } = staleness;
  const totals = { requests, errors5xx, ...counts };
  const reasons = reasonsAgainst({ totals, preserved, refusals, stages });
  return {
    mode: options.mode,
    verdict: reasons.length === 0 ? 'pass' : 'fail',
    reasons,
    durationSeconds,
    seed: options.seed,
    users: options.users,
    totals,
    staleByBackend,
    preserved,
    refusals,
    stages,
  };
}
