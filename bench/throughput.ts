import { closedLoop } from './closed-loop.ts';
import type { Contender } from './contenders/contender.ts';
import { keyOf, VALUES } from './values.ts';

/** A while of reading, of keys that are stored or of keys that are new. */
export interface Slot {
  readonly kind: 'hit' | 'miss';
  readonly inFlight: number;
  readonly valueBytes: number;
  readonly durationMs: number;
  /** Of the keys: `WARM` for hits, never used before for misses. */
  readonly run: string;
}

export interface SlotResult {
  readonly opsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** The run of keys that are stored before they are hit. */
export const WARM = 'warm';

const WARM_AT_ONCE = 50;
/** A stall of the machine may let a deadline pass, which turns a hit into a load. */
const WRONG_SHARE = 0.01;

/** Reads the keys until they are stored. */
export async function warm({ read }: Contender, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += WARM_AT_ONCE) {
    await Promise.all(keys.slice(at, at + WARM_AT_ONCE).map((key) => read(key)));
  }
}

interface Measured {
  readonly contender: Contender;
  /** How many loads there were so far. */
  loads(): number;
}

/**
 * Reads for a while, with so many reads in flight, each of another key.
 * @throws when hits were loaded or misses were not: then something else was measured.
 */
export async function runSlot(
  { contender: { read }, loads }: Measured,
  { kind, inFlight, valueBytes, durationMs, run }: Slot,
): Promise<SlotResult> {
  const loadsBefore = loads();
  const { count, perSecond, latencyUs } = await closedLoop({
    inFlight,
    durationMs,
    send: (sent) => read(keyOf({ valueBytes, run, index: kind === 'hit' ? sent % VALUES : sent })),
  });
  const loaded = loads() - loadsBefore;
  const wrong = kind === 'hit' ? loaded : count - loaded;
  if (wrong > count * WRONG_SHARE) throw new Error(`${wrong} of ${count} reads were no ${kind}`);
  return { opsPerSecond: perSecond, p50Us: latencyUs(0.5), p99Us: latencyUs(0.99) };
}
