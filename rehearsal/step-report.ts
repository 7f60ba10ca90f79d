import type { Phase } from '../lambda/contract/environment.ts';
import type { BackfillTarget } from '../lambda/stores/backfill/plan.ts';

/** What `report.json` holds of a step from phase to phase; null stands where nothing was measured, or nothing was to be done. */
export interface StepReport {
  readonly step: string;
  /** Of both backends, before and after. */
  readonly phases: readonly [from: Phase, to: Phase];
  /** For how long both phases answered, and how many requests in all. */
  readonly together: { readonly seconds: number; readonly requests: number } | null;
  /** What the backfill carried, and what it still found when it was run again at once, while traffic went on. */
  readonly carried: {
    readonly to: BackfillTarget;
    readonly keys: number;
    readonly again: number;
    readonly seconds: number;
  } | null;
  readonly flush: { readonly deleted: number; readonly preserved: number; readonly seconds: number } | null;
  readonly requests: number;
  readonly errors5xx: number;
  readonly staleReads: number;
  readonly lostSessions: number;
  readonly resurrectedSessions: number;
  /** Of the serverless backend, since the phase is everywhere: `lowest` over any 50 reads, `after` over the last 40 % of the step. */
  readonly hitRate: { readonly lowest: number | null; readonly after: number | null };
  /** In `dual`, over the same time: how many reads only an un-prefixed key could answer. */
  readonly legacyFallbacks: { readonly reads: number; readonly fallbacks: number } | null;
  /** Of reads answered from the cache, over the same time. */
  readonly p95Ms: { readonly express: number | null; readonly serverless: number | null };
  readonly databaseP95Ms: number | null;
  /** Keys of state that nobody used, looked for wherever this phase reads. */
  readonly state: { readonly checked: number; readonly lost: number };
  readonly gate: 'pass' | 'fail';
  readonly reasons: readonly string[];
}
