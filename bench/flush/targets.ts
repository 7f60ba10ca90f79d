import type { Target } from '../bench.ts';
import type { Flusher, FlushRow } from './rows.ts';

const UNPACED = { toPlain: 4.5, toShell: 8 };
const PACED = { toPlain: 2.5, calmer: 50 };
const MOST_MEMORY_MB = 120;
const MOST_GROWTH = 1.3;

/** Compares what was measured with what is promised. */
export function judgeFlush(rows: readonly FlushRow[]): Target[] {
  const compared = (flusher: Flusher) =>
    rows.find((row) => row.flusher === flusher && !Number.isNaN(row.ratioToPlain));
  const [unpaced, paced] = [compared('unpaced'), compared('paced')];
  const atLeast = (name: string, value = Number.NaN, least = 0): Target => ({
    name: `${name}: at least ${least}`,
    met: value >= least,
    measured: `${value}`,
  });
  return [
    atLeast('unpaced, times the plain script', unpaced?.ratioToPlain, UNPACED.toPlain),
    atLeast("unpaced, times the shell's one-liner", unpaced?.ratioToShell, UNPACED.toShell),
    atLeast('at the default pace, times the plain script', paced?.ratioToPlain, PACED.toPlain),
    atLeast(
      "at the default pace, the plain script's p99 of the bystander to ours",
      paced?.calmerThanPlain,
      PACED.calmer,
    ),
    ...rows
      .filter(({ flusher }) => flusher === 'unpaced' || flusher === 'paced')
      .map(({ flusher, keys, memoryMb }) => ({
        name: `memory of the client, ${flusher}, ${keys} keys: below ${MOST_MEMORY_MB} MB`,
        met: memoryMb < MOST_MEMORY_MB,
        measured: `${memoryMb} MB`,
      })),
    ...growth(rows.filter(({ flusher }) => flusher === 'unpaced')),
  ];
}

/** How much longer a key takes among many than among few. */
function growth(rows: readonly FlushRow[]): Target[] {
  const [fewest, most] = [...rows]
    .sort((one, other) => one.keys - other.keys)
    .filter((_, index, all) => index === 0 || index === all.length - 1);
  if (!fewest || !most) return [];
  const factor = most.seconds / most.keys / (fewest.seconds / fewest.keys);
  return [
    {
      name: `growth from ${fewest.keys} to ${most.keys} keys: linear within ${MOST_GROWTH}`,
      met: factor <= MOST_GROWTH,
      measured: factor.toFixed(2),
    },
  ];
}
