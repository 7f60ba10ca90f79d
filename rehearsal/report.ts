import type { Staleness } from './checker.ts';
import type { StaleRead } from './console/contract.ts';
import type { Migration, Mode, RehearsalOptions } from './options.ts';
import type { Answered } from './router.ts';
import type { SessionFigures } from './session-checker.ts';
import type { StepReport } from './step-report.ts';

/** What `report.json` holds. Hit rates are the serverless backend's; null stands where nothing was measured. */
export interface Report {
  readonly migration: Migration;
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
  } & Omit<Staleness, 'staleByBackend'> &
    SessionFigures;
  readonly staleByBackend: Staleness['staleByBackend'];
  /** The last twenty of them, newest first. */
  readonly staleReads: readonly StaleRead[];
  readonly preserved: { readonly checked: number; readonly lost: number };
  /** What Redis refused to the users that its parts connect as: `legacy: key v2:mocs:1 (3 times)`. */
  readonly refusals: readonly string[];
  /** What the serverless backend has answered, as its metrics say and as the router has counted. */
  readonly metrics: { readonly recorded: Answered; readonly counted: Answered };
  /** Of the migration `v2`. */
  readonly stages: readonly StageReport[];
  /** Of the migration `cw`. */
  readonly steps: readonly StepReport[];
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
export const MIN_CHECKED_SESSIONS = 50;

/** The verdict over a whole run. @returns what speaks against it; empty for a pass. */
export function reasonsAgainst(
  run: Pick<Report, 'totals' | 'preserved' | 'refusals' | 'metrics' | 'stages' | 'steps'>,
): string[] {
  const { totals, preserved, refusals, metrics, stages, steps } = run;
  const complaints = [
    totals.staleReads > 0 && `${totals.staleReads} stale reads`,
    totals.lostSessions > 0 && `${totals.lostSessions} answers denied a user who was logged in`,
    totals.resurrectedSessions > 0 &&
      `${totals.resurrectedSessions} answers were for a session that had ended`,
    totals.errors5xx > 0 && `${totals.errors5xx} answers were 5xx`,
    preserved.lost > 0 && `${preserved.lost} preserved keys were lost`,
    ...differences(metrics),
    ...refusals.map((refusal) => `Redis refused ${refusal}`),
    totals.writes < MIN_WRITES &&
      `${totals.writes} writes are fewer than the ${MIN_WRITES} that a verdict needs; run longer`,
    totals.crossBackendReads < MIN_CROSS_BACKEND_READS &&
      `${totals.crossBackendReads} cross-backend reads are fewer than the ${MIN_CROSS_BACKEND_READS} that a verdict needs; run longer`,
    totals.checkedSessions < MIN_CHECKED_SESSIONS &&
      `${totals.checkedSessions} answers about sessions are fewer than the ${MIN_CHECKED_SESSIONS} that a verdict needs; run longer`,
    ...steps.map(({ step, gate, reasons }) => gate === 'fail' && `step ${step}: ${reasons.join(', ')}`),
    ...stages.map(
      ({ weightPercent, gate, reasons }) =>
        gate === 'fail' && `stage ${weightPercent} %: ${reasons.join(', ')}`,
    ),
  ];
  return complaints.filter((complaint) => complaint !== false);
}

/** Whoever decides by the metrics would decide by something else. */
function differences({ recorded, counted }: Report['metrics']): string[] {
  const names = Object.keys(counted) as (keyof Answered)[];
  return names
    .filter((name) => recorded[name] !== counted[name])
    .map((name) => `the metrics say ${recorded[name]} ${name}, the router ${counted[name]}`);
}

/** What a run measured, to be judged. */
export interface RunFigures
  extends Pick<
    Report,
    'durationSeconds' | 'staleReads' | 'preserved' | 'refusals' | 'metrics' | 'stages' | 'steps'
  > {
  readonly options: Pick<RehearsalOptions, 'migration' | 'mode' | 'seed' | 'users'>;
  readonly requests: number;
  readonly errors5xx: number;
  readonly staleness: Staleness;
  readonly sessions: SessionFigures;
}

/** The report of a run, with its verdict. */
export function createReport({
  options,
  durationSeconds,
  requests,
  errors5xx,
  staleness,
  sessions,
  staleReads,
  preserved,
  refusals,
  metrics,
  stages,
  steps,
}: RunFigures): Report {
  const { staleByBackend, ...counts } = staleness;
  const totals = { requests, errors5xx, ...counts, ...sessions };
  const reasons = reasonsAgainst({ totals, preserved, refusals, metrics, stages, steps });
  return {
    migration: options.migration ?? 'v2',
    mode: options.mode,
    verdict: reasons.length === 0 ? 'pass' : 'fail',
    reasons,
    durationSeconds,
    seed: options.seed,
    users: options.users,
    totals,
    staleByBackend,
    staleReads,
    preserved,
    refusals,
    metrics,
    stages,
    steps,
  };
}
