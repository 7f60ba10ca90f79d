/** What a stage showed while it was observed. */
export interface StageFigures {
  readonly requests: number;
  readonly errors: number;
  /** Of reads that the serverless backend answered from the cache; undefined when there was none. */
  readonly hitP95Ms: number | undefined;
  /** The serverless backend's reads at the end of the stage, and how many of them were hits. */
  readonly reads: number;
  readonly hits: number;
  /** Connections to Redis that it could not open, or has lost. Default: none. */
  readonly connectionFailures?: number;
  /** Entries that the auditor has found to be older than their rows. Default: none. */
  readonly staleEntries?: number;
}

/** The promotion rule of requirement R19. */
export const GATE = { maxErrorPercent: 0.1, maxHitP95Ms: 100, minHitRate: 0.8, minReads: 200 } as const;

/** Of fewer requests one error is no rate yet, while there is time for more. */
const MIN_REQUESTS_EARLY = 1000;

/**
 * Decides whether a rollout may go on.
 * @returns what speaks against it, for a person to read; empty when it may.
 */
export function judge(figures: StageFigures): readonly string[] {
  const { requests, reads } = figures;
  return [
    ...(requests === 0 ? ['no request was answered'] : []),
    ...errorsIn(figures),
    ...(reads < GATE.minReads
      ? [`${reads} reads are fewer than the ${GATE.minReads} that a hit rate needs`]
      : []),
    ...speedIn(figures),
    ...faultsIn(figures),
  ];
}

/** The same before the time is up: what more of it cannot mend. Too little to judge by is no complaint yet. */
export function judgeEarly(figures: StageFigures): readonly string[] {
  return [
    ...(figures.requests >= MIN_REQUESTS_EARLY ? errorsIn(figures) : []),
    ...(figures.reads >= GATE.minReads ? speedIn(figures) : []),
    ...faultsIn(figures),
  ];
}

function errorsIn({ requests, errors }: StageFigures): string[] {
  const errorPercent = requests === 0 ? 0 : (errors / requests) * 100;
  return errorPercent >= GATE.maxErrorPercent
    ? [`errors ${errorPercent.toFixed(2)} % are not below ${GATE.maxErrorPercent} %`]
    : [];
}

function speedIn({ reads, hits, hitP95Ms }: StageFigures): string[] {
  const hitRate = reads === 0 ? 0 : hits / reads;
  return [
    ...(reads >= GATE.minReads && hitRate <= GATE.minHitRate
      ? [`hit rate ${hitRate.toFixed(2)} is not above ${GATE.minHitRate}`]
      : []),
    ...((hitP95Ms ?? 0) >= GATE.maxHitP95Ms
      ? [`p95 of hits ${hitP95Ms} ms is not below ${GATE.maxHitP95Ms} ms`]
      : []),
  ];
}

function faultsIn({ connectionFailures = 0, staleEntries = 0 }: StageFigures): string[] {
  return [
    ...(connectionFailures > 0 ? [`${connectionFailures} connections to Redis failed, and none may`] : []),
    ...(staleEntries > 0
      ? [`the auditor found ${staleEntries} entries older than their rows, and none may be`]
      : []),
  ];
}
