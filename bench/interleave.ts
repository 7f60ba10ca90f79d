import { median, shuffled } from './statistics.ts';

export interface Interleaved<Contender, Result> {
  readonly rounds: number;
  /** Measures one contender; round 0 is the warm-up, whose result is dropped. */
  readonly measure: (contender: Contender, round: number) => Promise<Result>;
  readonly onRound?: (round: number) => void;
}

/**
 * Measures the contenders one after the other in each round, in an order that is drawn each time, after a round for
 * each to warm up: what slows the machine for a while slows all of them.
 * @returns the results of each, by round, in the contenders' order.
 */
export async function interleave<Contender, Result>(
  contenders: readonly Contender[],
  { rounds, measure, onRound = () => {} }: Interleaved<Contender, Result>,
): Promise<Map<Contender, Result[]>> {
  const results = new Map<Contender, Result[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= rounds; round += 1) {
    onRound(round);
    for (const contender of shuffled(contenders)) {
      const result = await measure(contender, round);
      if (round > 0) results.get(contender)?.push(result);
    }
  }
  return results;
}

/**
 * The median of the ratios in the same round, to two decimals: machines differ and drift, ratios hold.
 * @returns NaN without a base.
 */
export function medianRatio(values: readonly number[], base: readonly number[] = []): number {
  return Math.round(median(values.map((value, round) => value / (base[round] ?? Number.NaN))) * 100) / 100;
}
