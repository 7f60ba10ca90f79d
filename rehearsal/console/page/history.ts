import type { Sample } from '../contract.ts';

/** Above an hour of seconds, which is what a server keeps. */
const MAX_SAMPLES = 4000;

/** What a server sent at once: all that there is, or what is new or has grown. */
export interface Batch {
  readonly samples: readonly Sample[];
  readonly replace: boolean;
}

/** `known` with a batch in it, oldest first. A sample takes the place of the one of the same time. */
export function withBatch(known: readonly Sample[], { samples, replace }: Batch): readonly Sample[] {
  const first = samples[0];
  if (!first) return replace ? [] : known;
  const kept = replace ? [] : known;
  const overlaps = kept.some(({ at }) => at >= first.at);
  const all = overlaps ? merged(kept, samples) : [...kept, ...samples];
  return all.slice(-MAX_SAMPLES);
}

function merged(known: readonly Sample[], samples: readonly Sample[]): Sample[] {
  const byTime = new Map([...known, ...samples].map((sample) => [sample.at, sample]));
  return [...byTime.values()].toSorted((one, other) => one.at - other.at);
}

/** Those that are over: the last one would look like a fall of everything. */
export const closed = (samples: readonly Sample[], now: number): readonly Sample[] =>
  samples.filter(({ at, spanMs }) => at + spanMs <= now);
