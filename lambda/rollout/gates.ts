/** What a stage showed while it was observed. */
export interface StageFigures {
  readonly requests: number;
  readonly errors: number;
  /** Of reads that the serverless backend answered from the cache; undefined when there was none. */
  readonly hitP95Ms: number | undefined;
  /** The serverless backend's reads at the end of the stage, and how many of them were hits. */
  readonly reads: number;
  readonly hits: number;
}

/** The promotion rule of requirement R19. */
export const GATE = { maxErrorPercent: 0.1, maxHitP95Ms: 100, minHitRate: 0.8, minReads: 200 } as const;

/**
 * Decides whether a rollout may go on.
 * @returns what speaks against it, for a person to read; empty when it may.
 */
export function judge({ requests, errors, hitP95Ms, reads, hits }: StageFigures): readonly string[] {
  const errorPercent = requests === 0 ? 0 : (errors / requests) * 100;
  const hitRate = reads === 0 ? 0 : hits / reads;
  const complaints = [
    requests === 0 && 'no request was answered',
    errorPercent >= GATE.maxErrorPercent &&
      `errors ${errorPercent.toFixed(2)} % are not below ${GATE.maxErrorPercent} %`,
    reads < GATE.minReads && `${reads} reads are fewer than the ${GATE.minReads} that a hit rate needs`,
    reads >= GATE.minReads &&
      hitRate <= GATE.minHitRate &&
      `hit rate ${hitRate.toFixed(2)} is not above ${GATE.minHitRate}`,
    (hitP95Ms ?? 0) >= GATE.maxHitP95Ms && `p95 of hits ${hitP95Ms} ms is not below ${GATE.maxHitP95Ms} ms`,
  ];
  return complaints.filter((complaint) => complaint !== false);
}
