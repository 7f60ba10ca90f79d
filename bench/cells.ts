import { RAW } from './contenders/contender.ts';
import { interleave, medianRatio } from './interleave.ts';
import type { ThroughputRow } from './rows.ts';
import { median } from './statistics.ts';
import type { LibraryWorker } from './tasks.ts';
import { type SlotResult, WARM } from './throughput.ts';
import { keyOf, VALUE_BYTES, VALUES } from './values.ts';

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

/** Compares the contenders in a cell, interleaved. */
export async function compare(
  cell: Cell,
  workers: readonly LibraryWorker[],
  { rounds, slotMs, flush, onRound = () => {} }: Rounds,
): Promise<ThroughputRow[]> {
  const { case: kind, valueBytes, inFlight } = cell;
  await flush();
  const keys = Array.from({ length: VALUES }, (_, index) => keyOf({ valueBytes, run: WARM, index }));
  if (kind === 'hit') for (const worker of workers) await worker.ask('warm', keys);

  const results = await interleave(workers, {
    rounds,
    onRound,
    async measure(worker, round) {
      const durationMs = round === 0 ? WARM_UP_MS : slotMs;
      const run = kind === 'hit' ? WARM : `${inFlight}-${round}`;
      const result = await worker.ask('throughput', { kind, inFlight, valueBytes, durationMs, run });
      if (kind === 'miss') await flush();
      return result;
    },
  });

  const speeds = (slots: readonly SlotResult[] = []) => slots.map(({ opsPerSecond }) => opsPerSecond);
  const raw = workers.find(({ name }) => name === RAW);
  const rawSpeeds = speeds(raw && results.get(raw));
  return [...results].map(([{ name: library }, slots]) => ({
    ...cell,
    library,
    opsPerSecond: Math.round(median(speeds(slots))),
    ratioToRaw: medianRatio(speeds(slots), rawSpeeds),
    p50Us: median(slots.map((slot) => slot.p50Us)),
    p99Us: median(slots.map((slot) => slot.p99Us)),
  }));
}
