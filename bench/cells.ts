import { RAW } from './contenders/contender.ts';
import type { ThroughputRow } from './rows.ts';
import { median, shuffled } from './statistics.ts';
import { type SlotResult, WARM } from './throughput.ts';
import { keyOf, VALUE_BYTES, VALUES } from './values.ts';
import type { Worker } from './workers.ts';

export const IN_FLIGHT = [1, 50, 500] as const;

/** What the contenders are compared in. */
export interface Cell {
  readonly case: ThroughputRow['case'];
  readonly valueBytes: number;
  readonly inFlight: number;
}

/** Every comparison, hits first. */
export const CELLS: readonly Cell[] = (['hit', 'miss'] as const).flatMap((kind) =>
  VALUE_BYTES.flatMap((valueBytes) => IN_FLIGHT.map((inFlight) => ({ case: kind, valueBytes, inFlight }))),
);

export interface Rounds {
  readonly rounds: number;
  /** How long each contender reads in each round. */
  readonly slotMs: number;
  /** Empties the Redis: a cell begins with nothing stored, and misses never pile up. */
  readonly flush: () => Promise<unknown>;
  readonly onRound?: (round: number) => void;
}

/** Long enough for the compiler to know the way of a miss, too. */
const WARM_UP_MS = 1000;

/**
 * Compares the contenders: one after the other in each round, in an order that is drawn each time, after a slot for
 * each to warm up.
 */
export async function compare(
  cell: Cell,
  workers: readonly Worker[],
  { rounds, slotMs, flush, onRound = () => {} }: Rounds,
): Promise<ThroughputRow[]> {
  const { case: kind, valueBytes, inFlight } = cell;
  const results = new Map<Worker, SlotResult[]>(workers.map((worker) => [worker, []]));
  await flush();
  const keys = Array.from({ length: VALUES }, (_, index) => keyOf({ valueBytes, run: WARM, index }));
  if (kind === 'hit') for (const worker of workers) await worker.ask('warm', keys);

  // Round 0 is the warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    onRound(round);
    for (const worker of shuffled(workers)) {
      const durationMs = round === 0 ? WARM_UP_MS : slotMs;
      const run = kind === 'hit' ? WARM : `${inFlight}-${round}`;
      const result = await worker.ask('throughput', { kind, inFlight, valueBytes, durationMs, run });
      if (round > 0) results.get(worker)?.push(result);
      if (kind === 'miss') await flush();
    }
  }

  const raw = workers.find(({ library }) => library === RAW);
  const rawResults = (raw && results.get(raw)) ?? [];
  return [...results].map(([{ library }, slots]) => {
    const ratios = slots.map(
      ({ opsPerSecond }, round) => opsPerSecond / (rawResults[round]?.opsPerSecond ?? 0),
    );
    return {
      ...cell,
      library,
      opsPerSecond: Math.round(median(slots.map((slot) => slot.opsPerSecond))),
      ratioToRaw: Math.round(median(ratios) * 100) / 100,
      p50Us: median(slots.map((slot) => slot.p50Us)),
      p99Us: median(slots.map((slot) => slot.p99Us)),
    };
  });
}
