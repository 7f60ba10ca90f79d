import type { Target } from './bench.ts';
import { OURS, RAW } from './contenders/contender.ts';
import type { LateFillRow, OutageRow, Row, StampedeRow, ThroughputRow } from './rows.ts';

/** Of 200 B hits, by the reads in flight. */
const LEAST_HIT_RATIOS = new Map([
  [1, 0.95],
  [50, 1.2],
  [500, 1.6],
]);
const LEAST_MISS_RATIO = 0.55;
const MOST_WAIT_MS = 300;

/** Compares what was measured with what is promised. */
export function judge(rows: readonly Row[]): Target[] {
  const throughput = rows.filter(isThroughput);
  const ours = rows.filter(({ library }) => library === OURS);
  return [
    ...throughput
      .filter(({ library }) => library === OURS)
      .flatMap((row) => judgeThroughput(row, throughput)),
    ...ours.filter(isStampede).map(({ case: name, callers, loads }) => ({
      name: `${name}: 1 load for ${callers} callers`,
      met: loads === 1,
      measured: `${loads}`,
    })),
    ...ours.filter(isLateFill).map(({ means, stale }) => ({
      name: `late fill after ${means}: not stale`,
      met: !stale,
      measured: stale ? 'stale' : 'not stale',
    })),
    ...ours.filter(isOutage).map(({ case: name, threw, hanging, longestWaitMs, recovered }) => ({
      name: `${name}: no read throws or waits on Redis for over ${MOST_WAIT_MS} ms`,
      met: !threw && hanging === 0 && longestWaitMs <= MOST_WAIT_MS && recovered,
      measured: `${threw ? 'threw' : 'none threw'}, ${longestWaitMs} ms, ${recovered ? '' : 'not '}recovered`,
    })),
  ];
}

function judgeThroughput(own: ThroughputRow, all: readonly ThroughputRow[]): Target[] {
  const { case: kind, valueBytes, inFlight, ratioToRaw } = own;
  const cell = `${kind}, ${valueBytes} B, ${inFlight} in flight`;
  const atLeast = (least: number): Target => ({
    name: `${cell}: at least ${least} of raw`,
    met: ratioToRaw >= least,
    measured: ratioToRaw.toFixed(2),
  });
  const aheadOfAll = (): Target => {
    const [best] = all
      .filter((row) => row.case === kind && row.valueBytes === valueBytes && row.inFlight === inFlight)
      .filter(({ library }) => library !== RAW && library !== OURS)
      .sort((a, b) => b.ratioToRaw - a.ratioToRaw);
    return {
      name: `${cell}: ahead of every library`,
      met: best !== undefined && ratioToRaw > best.ratioToRaw,
      measured: `${ratioToRaw.toFixed(2)}, ${best?.library} ${best?.ratioToRaw.toFixed(2)}`,
    };
  };
  if (kind === 'miss') return [atLeast(LEAST_MISS_RATIO), ...(inFlight === 500 ? [aheadOfAll()] : [])];
  const least = valueBytes === 200 ? LEAST_HIT_RATIOS.get(inFlight) : undefined;
  return least === undefined ? [aheadOfAll()] : [atLeast(least)];
}

export const isThroughput = (row: Row): row is ThroughputRow => row.case === 'hit' || row.case === 'miss';
export const isStampede = (row: Row): row is StampedeRow => row.case.startsWith('stampede');
export const isLateFill = (row: Row): row is LateFillRow => row.case === 'late-fill';
export const isOutage = (row: Row): row is OutageRow => row.case === 'freeze' || row.case === 'kill';
