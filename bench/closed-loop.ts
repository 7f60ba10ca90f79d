import { percentile } from './statistics.ts';

export interface Loop {
  /** How many callers there are; each sends its next request when the last one is answered. */
  readonly inFlight: number;
  readonly durationMs: number;
  /** Sends one request. @param index counts the requests of all callers from 0. */
  readonly send: (index: number) => Promise<unknown>;
}

/** What callers saw. */
export interface LoopResult {
  readonly count: number;
  readonly perSecond: number;
  /** @param share from 0 to 1, such as 0.99. @returns microseconds. */
  latencyUs(share: number): number;
}

/** Sends requests for a while, with so many of them in flight. @throws what `send` does. */
export async function closedLoop({ inFlight, durationMs, send }: Loop): Promise<LoopResult> {
  const latencies: number[] = [];
  let index = 0;
  // Garbage of the slot before is not paid for by this one.
  globalThis.gc?.();
  const begin = performance.now();
  const end = begin + durationMs;
  const caller = async () => {
    for (let sent = performance.now(); sent < end; ) {
      const mine = index;
      index += 1;
      await send(mine);
      const answered = performance.now();
      latencies.push(answered - sent);
      sent = answered;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const seconds = (performance.now() - begin) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  return {
    count: sorted.length,
    perSecond: sorted.length / seconds,
    latencyUs: (share) => Math.round(percentile(sorted, share) * 1000),
  };
}
