import { interleave, medianRatio } from '../interleave.ts';
import { median } from '../statistics.ts';
import type { Worker } from '../workers.ts';
import type { Host } from './hosts.ts';
import type { LoadTasks, ReadResult } from './load.ts';
import type { ContenderName, ReadsRow } from './rows.ts';

interface Reads {
  readonly load: Worker<LoadTasks>;
  readonly connections: number;
  readonly rounds: number;
  readonly slotMs: number;
  readonly onRound?: (round: number) => void;
}

/** Long enough for the compiler to know the way. */
const WARM_UP_MS = 1000;

/**
 * Reads flags from each host, interleaved.
 * @throws when answers are not of the outcome that the host is there for: then something else was measured.
 */
export async function benchReads(
  hosts: readonly Host[],
  { load, connections, rounds, slotMs, onRound }: Reads,
): Promise<ReadsRow[]> {
  const results = await interleave(hosts, {
    rounds,
    ...(onRound && { onRound }),
    measure: ({ url, outcome }, round) =>
      load.ask('read', { url, connections, durationMs: round === 0 ? WARM_UP_MS : slotMs, outcome }),
  });
  const of = (name: ContenderName) => {
    const host = hosts.find((each) => each.name === name);
    return perSecond(host && results.get(host));
  };
  const [uncached, bare] = [of('uncached'), of('bare')];
  return [...results].map(([{ name }, slots]) => ({
    case: 'flag-read',
    contender: name,
    connections,
    requestsPerSecond: Math.round(median(perSecond(slots))),
    ratioToUncached: medianRatio(perSecond(slots), uncached),
    ratioToBare: medianRatio(perSecond(slots), bare),
    p50Us: median(slots.map(({ p50Us }) => p50Us)),
    p95Us: median(slots.map(({ p95Us }) => p95Us)),
    p99Us: median(slots.map(({ p99Us }) => p99Us)),
  }));
}

const perSecond = (slots: readonly ReadResult[] = []) => slots.map((slot) => slot.requestsPerSecond);
